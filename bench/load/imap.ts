// The IMAP load clients: a script of commands on one connection, APPEND on many, log-ins on many.

import { numbersOf } from '../../tools/numbers.ts'
import { type Account, type LoginWay, login } from './imap-login.ts'
import { type ImapPlace, ImapWire } from './imap-wire.ts'
import { makeMessage, stampId } from './message.ts'
import { latencyOf, type SmtpDone, sharedNowMs } from './smtp.ts'

export interface ScriptJob extends ImapPlace {
  readonly kind: 'script'
  readonly account: Account
  readonly commands: readonly string[]
  /** On so many connections, one after another; one unless said. */
  readonly times?: number
}

export interface ScriptDone {
  readonly answers: readonly ScriptAnswer[]
}

export interface ScriptAnswer {
  readonly command: string
  readonly ok: boolean
  /** From the command to its tagged reply. */
  readonly ms: number
  readonly bytes: number
  readonly fetches: number
  readonly last: string
}

/** Runs the commands one after another; a refused one is told and does not end the script. */
export async function runScript(job: ScriptJob): Promise<ScriptDone> {
  const answers: ScriptAnswer[] = []
  for (let connection = 0; connection < (job.times ?? 1); connection++) {
    const wire = await ImapWire.open(job)
    await login(wire, job.account)
    for (const command of job.commands) {
      const before = performance.now()
      const { ok, bytes, fetches, last } = await wire.command(command)
      answers.push({ command, ok, ms: performance.now() - before, bytes, fetches, last })
    }
    wire.close()
  }
  return { answers }
}

export interface AppendJob extends ImapPlace {
  readonly kind: 'append'
  /** One connection each. */
  readonly accounts: readonly Account[]
  readonly mailbox: string
  readonly sizeBytes: number
  /** Messages of one APPEND where the server has MULTIAPPEND (rfc3502): to fill a mailbox, not to measure. */
  readonly batch?: number
  /** Ends after this time or after so many messages, whichever comes first. */
  readonly seconds: number
  readonly messages: number
}

/** APPENDs one message after another on every connection; `accepted` are those that were answered OK. */
export async function runAppend(job: AppendJob): Promise<SmtpDone> {
  const wires = await Promise.all(
    job.accounts.map(async (account) => {
      const wire = await ImapWire.open(job)
      await login(wire, account)
      return wire
    }),
  )
  const firstNumber = (Math.floor(Date.now() / 10) % 1e9) * 1000
  const batch = job.batch !== undefined && (await hasMultiAppend(wires[0])) ? job.batch : 1
  let claimed = 0
  const command = `APPEND ${job.mailbox}`
  const done = await runHands(job.seconds, wires, async (wire, index) => {
    const seed = Math.floor(numbersOf(firstNumber % 2 ** 31)() * 1e6)
    const bodies = Array.from({ length: Math.max(4, batch) }, (_, part) =>
      makeMessage((seed + index) * 64 + part, job.sizeBytes),
    )
    return async () => {
      const count = Math.min(batch, job.messages - claimed)
      const literals = Array.from({ length: count }, () => {
        const number = firstNumber + claimed++
        const body = bodies[number % bodies.length] as Buffer
        stampId(body, number)
        return body
      })
      if (count > 0) await wire.must(command, ...literals)
      return count
    }
  })
  for (const wire of wires) wire.close()
  return done
}

async function hasMultiAppend(wire: ImapWire | undefined): Promise<boolean> {
  return / MULTIAPPEND\b/.test((await wire?.must('CAPABILITY'))?.text ?? '')
}

export interface LoginsJob extends ImapPlace {
  readonly kind: 'logins'
  /** One hand each, which connects, logs in, leaves and begins again. */
  readonly accounts: readonly Account[]
  readonly way: LoginWay
  /** Ends after this time or after so many. */
  readonly seconds: number
  readonly logins: number
}

/**
 * Logs in again and again; `accepted` are log-ins, their latency runs from the connection to the OK. The first of each
 * hand is not counted: a client that SCRAM makes stretch its password does that once.
 */
export function runLogins(job: LoginsJob): Promise<SmtpDone> {
  let left = job.logins
  return runHands(job.seconds, job.accounts, async (account) => {
    const act = async () => {
      if (left-- <= 0) return 0
      const wire = await ImapWire.open(job)
      await login(wire, account, job.way)
      wire.close()
      return 1
    }
    await act()
    return act
  })
}

/** What one hand does again and again; it gives how much was done, 0 where there is nothing more to do. */
type Act = () => Promise<number>

async function runHands<T>(
  seconds: number,
  hands: readonly T[],
  prepare: (hand: T, index: number) => Promise<Act>,
): Promise<SmtpDone> {
  const acts = await Promise.all(hands.map(prepare))
  const latencies: number[] = []
  const problems: string[] = []
  const startedAtMs = sharedNowMs()
  let endedAtMs = startedAtMs
  let accepted = 0
  const until = startedAtMs + seconds * 1000
  await Promise.all(
    acts.map(async (act) => {
      try {
        while (sharedNowMs() < until) {
          const before = performance.now()
          const done = await act()
          if (done === 0) return
          accepted += done
          latencies.push(performance.now() - before)
          endedAtMs = sharedNowMs()
        }
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error))
      }
    }),
  )
  const latencyMs = latencyOf(Float64Array.from(latencies))
  const elapsed = (endedAtMs - startedAtMs) / 1000
  const refused = problems.length
  return {
    accepted,
    seconds: elapsed,
    startedAtMs,
    endedAtMs,
    latencyMs,
    refused,
    problems,
  }
}
