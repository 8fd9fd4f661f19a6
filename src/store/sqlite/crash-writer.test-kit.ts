import { writeSync } from 'node:fs'
import { type Address, parseAddress } from '../../mail/address.ts'
import { makeTraceId } from '../../mail/ids.ts'
import { openStore } from './open.ts'

// The program that crash.test.ts kills: stores messages from several hands at once, says on standard output,
// at once and unbuffered, which ones were acknowledged.

const [folder = '', round = ''] = process.argv.slice(2)
const HANDS = 12

const opened = await openStore({
  folder,
  directory: { domains: ['example.test'], separator: '+' },
  now: () => Date.now(),
  onFault: (cause) => {
    throw new Error(cause)
  },
})
if (!opened.ok) throw new Error(opened.error.problem)
const { accounts, intake, mailboxes } = opened.store
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

await Promise.all(
  Array.from({ length: HANDS }, async (_, hand) => {
    for (let i = 0; ; i++) await deliver(`${round}-${hand}-${i}`, i % 20 === 7)
  }),
)
