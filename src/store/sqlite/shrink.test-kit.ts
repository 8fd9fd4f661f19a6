import { writeSync } from 'node:fs'
import { Bench, mail } from '../contract/bench.test-kit.ts'
import { openAt } from './open.test-kit.ts'

// The program that shrink.test.ts kills: fills a folder, deletes most of it, goes on delivering, and says what was
// acknowledged.

const [folder = '', round = ''] = process.argv.slice(2)
const say = (text: string) => writeSync(1, `${text}\n`)
const TEXT = 'Sixty KiB of it.\r\n'.repeat(3300)

const store = await openAt(folder, { onNote: () => say('shrunk') })
const bench = new Bench({ store, reopen: () => Promise.resolve(store), dispose: () => store.close() })
const [kept, doomed] = await Promise.all([
  bench.account(`kept${round}@example.test`),
  bench.account(`doomed${round}@example.test`),
])
for (let at = 0; at < 500; at += 50)
  await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      bench.deliver(mail(`${at + i}`, TEXT), doomed, { flags: ['\\Deleted'] }),
    ),
  )
const view = await bench.view(doomed)
await store.mailboxes.expunge(doomed, view)
view.close()
say('deleted')
for (let i = 0; ; i++) {
  await bench.deliver(mail(`${round}-${i}`), kept)
  say(`${round}-${i}`)
}
