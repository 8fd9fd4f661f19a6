// The SMTP and LMTP load client: so many connections, for so long, and what the replies were.

import { numbersOf } from '../../tools/numbers.ts'
import { percentile } from '../statistics.ts'
import { SmtpHand, type SmtpLoad } from './smtp-hand.ts'

export interface SmtpJob extends SmtpLoad {
  readonly kind: 'smtp'
  /** Ends after this time or after so many messages, whichever comes first. */
  readonly seconds: number
  readonly messages: number
}

export interface SmtpDone {
  readonly accepted: number
  /** From the first connection to the last reply. */
  readonly seconds: number
  /** On the machine's monotonic clock, which every process reads alike. */
  readonly startedAtMs: number
  readonly endedAtMs: number
  /** From the final dot to its reply. */
  readonly latencyMs: Latency
  readonly refused: number
  /** The first few refusals and lost connections, for the reader. */
  readonly problems: readonly string[]
}

export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly worst: number
}

/** Refusals after which the load gives up: the server or its configuration is wrong, and a rate would mean nothing. */
const mostRefusals = 100
const problemsTold = 5
/** A hand that hears nothing for this long after the end of its time is given up. */
const patienceMs = 30_000

/** Milliseconds on a clock that all processes of the machine share. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Middle, slow and slowest of these, or zeroes for none. */
export function latencyOf(values: Float64Array): Latency {
  if (values.length === 0) return { p50: 0, p99: 0, worst: 0 }
  const sorted = values.toSorted()
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), worst: percentile(sorted, 1) }
}

/** Runs it to its end. Never rejects: what went wrong stands in `problems`. */
export function runSmtp(job: SmtpJob): Promise<SmtpDone> {
  const { promise, resolve } = Promise.withResolvers<SmtpDone>()
  const startedAtMs = sharedNowMs()
  const until = startedAtMs + job.seconds * 1000
  const latencies: number[] = []
  const problems: string[] = []
  const seed = Math.floor(numbersOf(Math.floor(startedAtMs))() * 1e6)
  // No two runs give the same ids, or Cyrus would take the second for a duplicate.
  const firstNumber = Math.floor(Date.now() / 10) % 1e9
  let claimed = 0
  let refused = 0
  let standing = job.connections
  let endedAtMs = startedAtMs
  const tell = (problem: string) => {
    if (problems.length < problemsTold) problems.push(problem)
  }
  const finish = () => {
    clearTimeout(patience)
    const seconds = (endedAtMs - startedAtMs) / 1000
    const latencyMs = latencyOf(Float64Array.from(latencies))
    resolve({ accepted: latencies.length, seconds, startedAtMs, endedAtMs, latencyMs, refused, problems })
  }
  const patience = setTimeout(
    () => {
      tell(`${standing} connections did not come to an end`)
      finish()
    },
    job.seconds * 1000 + patienceMs,
  )
  const isOpen = () => claimed < job.messages && refused < mostRefusals && sharedNowMs() < until
  const tally = {
    isOpen,
    claim: () => (isOpen() ? firstNumber * 1000 + claimed++ : undefined),
    accepted: (latencyMs: number) => {
      latencies.push(latencyMs)
      endedAtMs = sharedNowMs()
    },
    refused: (reply: string) => {
      refused++
      tell(reply)
    },
    ended: (problem?: string) => {
      if (problem !== undefined) tell(problem)
      if (--standing === 0) finish()
    },
  }
  for (let index = 0; index < job.connections; index++) new SmtpHand(job, tally, seed + index).start()
  return promise
}
