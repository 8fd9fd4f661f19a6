// The load client as a program: `npm run bench` starts it for each measurement, so that what the client costs is not
// taken for the server's. By hand, for a profile say:
//
//   node bench/load.ts smtp port=2525 to=me@example.test connections=10 seconds=10 size=4096 pipelining=no each=900
//   node bench/load.ts lmtp port=2424 to=me@example.test connections=10
//   node bench/load.ts append port=2143 user=me@example.test password=… connections=10
//   node bench/load.ts logins port=2143 user=me@example.test password=… connections=10 way=scram-sha-256
//   node bench/load.ts script port=2143 user=me@example.test password=… 'do=SELECT INBOX' 'do=UID FETCH 1:* (FLAGS)'
//
// Several `to=` are taken in turn.

import type { LoginWay } from './load/imap-login.ts'
import { type Job, runJob } from './load/jobs.ts'

if (process.send === undefined) await byHand(process.argv.slice(2))
else byMessage()

/** One job comes as a message; its answer, or what went wrong, goes back as one. */
function byMessage(): void {
  let opened = Promise.withResolvers<void>()
  const whenOpen = (open: number) => {
    opened = Promise.withResolvers<void>()
    process.send?.({ open })
    return opened.promise
  }
  process.on('message', async (message: { readonly job?: Job; readonly goOn?: true }) => {
    if (message.goOn) opened.resolve()
    if (message.job === undefined) return
    try {
      process.send?.({ done: await runJob(message.job, whenOpen) })
    } catch (error) {
      process.send?.({ failed: error instanceof Error ? error.message : String(error) })
    }
  })
  process.on('disconnect', () => process.exit())
}

async function byHand([kind = '', ...words]: readonly string[]): Promise<void> {
  const options = new Map<string, string[]>()
  for (const word of words) {
    const cut = word.indexOf('=')
    const name = word.slice(0, cut)
    options.set(name, [...(options.get(name) ?? []), word.slice(cut + 1)])
  }
  const job = jobOf(kind, options)
  if (job === undefined) {
    console.error(
      'usage: node bench/load.ts smtp|lmtp|append|logins|script NAME=VALUE … (see the head of the file)',
    )
    process.exitCode = 2
    return
  }
  console.log(JSON.stringify(await runJob(job, () => Promise.resolve()), undefined, 2))
  process.exit()
}

function jobOf(kind: string, options: ReadonlyMap<string, readonly string[]>): Job | undefined {
  const text = (name: string, usual: string) => options.get(name)?.at(-1) ?? usual
  const number = (name: string, usual: number) => Number(text(name, String(usual)))
  const place = { host: text('host', '127.0.0.1'), port: number('port', 0) }
  const account = { user: text('user', 'me@example.test'), password: text('password', '') }
  const accounts = Array.from({ length: number('connections', 10) }, () => account)
  const bounds = { seconds: number('seconds', 10), messages: number('messages', 1e9) }
  const sizeBytes = number('size', 4096)
  if (kind === 'smtp' || kind === 'lmtp') {
    return {
      kind: 'smtp',
      protocol: kind,
      ...place,
      ...bounds,
      connections: accounts.length,
      sizeBytes,
      pipelining: text('pipelining', 'no') === 'yes',
      perConnection: number('each', 900),
      recipients: options.get('to') ?? ['me@example.test'],
    }
  }
  const mailbox = text('mailbox', 'INBOX')
  if (kind === 'append') return { kind, ...place, ...bounds, accounts, mailbox, sizeBytes }
  if (kind === 'logins')
    return {
      kind,
      ...place,
      ...bounds,
      accounts,
      way: text('way', 'login') as LoginWay,
      logins: bounds.messages,
    }
  if (kind === 'script') return { kind, ...place, account, commands: options.get('do') ?? ['NOOP'] }
  return undefined
}
