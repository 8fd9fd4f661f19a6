// Many clients in IDLE, and how soon all of them hear of a message.

import { type Account, login } from './imap-login.ts'
import { type ImapPlace, ImapWire } from './imap-wire.ts'
import { runSmtp, type SmtpJob, sharedNowMs } from './smtp.ts'

export interface IdleJob extends ImapPlace {
  readonly kind: 'idle'
  readonly account: Account
  readonly connections: number
  /** How the message comes: one of this load, to this account. */
  readonly delivery: SmtpJob
  readonly deliveries: number
  /** After all are in IDLE, before they are counted: servers free what the log-ins took. */
  readonly settleMs: number
  /** A client that has not heard by then counts as never told. */
  readonly patienceMs: number
  /** When no further clients are brought up: fewer are measured then. */
  readonly openingMs: number
}

export interface IdleDone {
  /** Until all were in IDLE. */
  readonly openedSeconds: number
  /** That came up. */
  readonly connections: number
  readonly told: readonly Told[]
}

/** One message: how long after its 250 the clients heard of it. */
export interface Told {
  readonly told: number
  readonly p50Ms: number
  /** Until the last of them; the whole patience where not all were told. */
  readonly lastMs: number
}

/** Between two messages: nobody is still being told of the one before. */
const betweenMs = 300

/** Log-ins at once while the clients come up. */
const opening = 20

/**
 * Opens them, calls `whenOpen` and waits for it (that is where memory is measured), delivers, and ends.
 * Rejects where a client cannot log in.
 */
export async function runIdle(
  job: IdleJob,
  whenOpen: (connections: number) => Promise<void>,
): Promise<IdleDone> {
  const startedAtMs = sharedNowMs()
  const wires: ImapWire[] = []
  let left = job.connections
  await Promise.all(
    Array.from({ length: opening }, async () => {
      while (left-- > 0 && sharedNowMs() < startedAtMs + job.openingMs) wires.push(await openIdle(job))
    }),
  )
  const openedSeconds = (sharedNowMs() - startedAtMs) / 1000
  await sleep(job.settleMs)
  await whenOpen(wires.length)
  const told: Told[] = []
  for (let round = 0; round < job.deliveries; round++) {
    told.push(await deliver(job, wires))
    // What was waited for in vain twice will not come the third time.
    if (told.filter((each) => each.told < wires.length).length >= 2) break
    await sleep(betweenMs)
  }
  for (const wire of wires) wire.close()
  return { openedSeconds, connections: wires.length, told }
}

async function openIdle(job: IdleJob): Promise<ImapWire> {
  const wire = await ImapWire.open(job)
  await login(wire, job.account)
  await wire.must('SELECT INBOX')
  const answer = await wire.continued('IDLE')
  if (!answer.ok) throw new Error(`IDLE: ${answer.last}`)
  return wire
}

async function deliver(job: IdleJob, wires: readonly ImapWire[]): Promise<Told> {
  const heardAt: number[] = []
  const all = Promise.withResolvers<void>()
  for (const wire of wires) {
    wire.onExists = () => {
      wire.onExists = undefined
      heardAt.push(sharedNowMs())
      if (heardAt.length === wires.length) all.resolve()
    }
  }
  const sent = await runSmtp({ ...job.delivery, connections: 1, messages: 1 })
  if (sent.accepted !== 1) throw new Error(`the message was not taken: ${sent.problems.join('; ')}`)
  const timer = setTimeout(() => all.resolve(), job.patienceMs)
  await all.promise
  clearTimeout(timer)
  // In the order in which they came. Some hear before the 250 is out: that is 0.
  const after = (at: number | undefined) => Math.max(0, (at ?? Number.POSITIVE_INFINITY) - sent.endedAtMs)
  const p50Ms = after(heardAt[heardAt.length >> 1])
  const lastMs = heardAt.length === wires.length ? after(heardAt.at(-1)) : job.patienceMs
  return { told: heardAt.length, p50Ms, lastMs }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
