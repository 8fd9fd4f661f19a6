import { writeSync } from 'node:fs'
import { type Address, parseAddress } from '../../mail/address.ts'
import { makeTraceId } from '../../mail/ids.ts'
import { aHold } from '../contract/bench.test-kit.ts'
import { openAt } from './open.test-kit.ts'

// The program that crash.test.ts kills: stores messages from several hands at once, says on standard output,
// at once and unbuffered, which ones were acknowledged.

const [folder = '', round = ''] = process.argv.slice(2)
const HANDS = 12

const store = await openAt(folder)
const { accounts, intake, mailboxes, quarantine } = store
const anna = await accounts.findAccount('anna@example.test')
if (anna === undefined) throw new Error('no account')
const owner = anna.id
const access = { actor: { kind: 'account', account: owner }, owner } as const
const recipient = parseAddress('anna@example.test') as Address

async function deliver(subject: string, large: boolean): Promise<void> {
  const writer = intake.body(1 << 30)
  await writer.write(Buffer.from(`Subject: ${subject}\r\n\r\n`))
  await writer.write(Buffer.alloc(large ? 300_000 : 3000, 'some text\r\n'))
  await writer.write(Buffer.from(`\r\nend of ${subject}\r\n`))
  const staged = await writer.finish()
  if (!staged.ok) throw new Error(staged.failure.cause)
  const body = staged.value
  if (subject.endsWith('0')) {
    const append = { body, flags: [], internalDateMs: 0, internalDateZoneMinutes: 0 }
    const appended = await mailboxes.append(access, 'INBOX', [append])
    if (!appended.ok) throw new Error(appended.error.kind)
  } else if (subject.endsWith('5')) {
    const traceId = makeTraceId(Date.now(), crypto.getRandomValues(new Uint8Array(10)))
    const delivery = { owner, mailbox: 'INBOX', flags: [], recipient }
    const message = { traceId, trace: [], body, prefix: new Uint8Array(0), reversePath: null }
    const held = { ...message, receivedAtMs: Date.now(), deliveries: [delivery], hold: aHold({ subject }) }
    const stored = await intake.accept(held)
    if (!stored.ok) throw new Error(stored.failure.cause)
    const released = await quarantine.release(traceId, { by: 'operator', nowMs: Date.now() })
    if (released?.ok !== true) throw new Error(`${subject} was not released`)
  } else {
    const stored = await intake.accept({
      traceId: makeTraceId(Date.now(), crypto.getRandomValues(new Uint8Array(10))),
      trace: [],
      body,
      prefix: new Uint8Array(0),
      reversePath: null,
      receivedAtMs: Date.now(),
      deliveries: [{ owner, mailbox: 'INBOX', flags: [], recipient }],
    })
    if (!stored.ok) throw new Error(stored.failure.cause)
  }
  writeSync(1, `${subject}\n`)
}

/** Everything but deliveries, so that kills meet it, too; what must be there afterwards is INBOX's alone. */
async function tidyUp(): Promise<void> {
  for (let i = 0; ; i++) {
    const name = `round ${round}/${i}`
    await mailboxes.create(access, name)
    const opened = await mailboxes.open(access, name, { readOnly: false })
    if (!opened.ok) throw new Error(opened.error.kind)
    const view = opened.value
    for (const size of [100, 280_000]) {
      const writer = intake.body(1 << 30)
      await writer.write(Buffer.alloc(size, 'junk\r\n'))
      const staged = await writer.finish()
      if (!staged.ok) throw new Error(staged.failure.cause)
      const append = { body: staged.value, flags: ['Junk'], internalDateMs: 0, internalDateZoneMinutes: 0 }
      await mailboxes.append(access, name, [append])
    }
    view.sync({ expunges: true })
    await mailboxes.copy(access, view, [1], 'Archive')
    await mailboxes.storeFlags(access, view, { uids: [1], action: 'add', flags: ['\\Deleted'], silent: true })
    await mailboxes.expunge(access, view)
    await mailboxes.move(access, view, [2], 'Trash')
    view.close()
    await mailboxes.rename(access, name, `${name} done`)
    if (i % 2 === 0) await mailboxes.delete(access, `${name} done`)
  }
}

await Promise.all([
  tidyUp(),
  ...Array.from({ length: HANDS }, async (_, hand) => {
    for (let i = 0; ; i++) await deliver(`${round}-${hand}-${i}`, i % 20 === 7)
  }),
])
