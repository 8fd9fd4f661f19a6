// What judging mail costs by itself: SPF, one signature and DMARC of signed messages, on the threads that the server
// uses, by the code in the source; no network but for the first questions to the DNS.

import { ThreadedMailAuth } from '../../src/app/auth/threaded-mail-auth.ts'
import { parseAddress } from '../../src/mail/address.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { CachingResolver } from '../../src/platform/resolver.ts'
import type { Evaluation } from '../../src/ports/mail-auth.ts'
import { type Author, signatureBytes, signMessage } from '../signed.ts'
import { makeMessage } from './message.ts'

export interface EvaluateJob {
  readonly kind: 'evaluate'
  readonly author: Author
  readonly sizeBytes: number
  readonly atOnce: number
  readonly warmSeconds: number
  readonly seconds: number
  /** Ends after so many, too. */
  readonly messages: number
}

export interface EvaluateDone {
  readonly messages: number
  readonly seconds: number
  /** Of this process, all threads: garbage collection and the resolver's part are in it. */
  readonly cpuMs: number
}

export async function runEvaluate(job: EvaluateJob): Promise<EvaluateDone> {
  const { author, sizeBytes } = job
  const clock = systemClock()
  const resolver = new CachingResolver({
    servers: [{ address: '127.0.0.1', port: author.dnsPort, validates: false }],
    clock,
    random: systemRandom(),
  })
  const auth = new ThreadedMailAuth({ dns: resolver, nowMs: () => clock.monotonic() })
  const size = sizeBytes - signatureBytes(author)
  const messages = Array.from({ length: 16 }, (_, seed) => signMessage(makeMessage(seed, size), author))
  const reversePath = parseAddress(`sender@${author.domain}`)
  if (reversePath === undefined) throw new Error('the author has no address')
  const facts = { client: '127.0.0.1', helo: 'bench.test', reversePath, authservId: 'localhost' }
  let count = 0
  const one = async () => {
    const message = messages[count++ % messages.length] as Buffer
    const content = {
      sizeBytes: message.length,
      async *pieces() {
        yield message
      },
    }
    assertPassed(await auth.evaluate(content, facts))
  }
  const go = async (seconds: number, most: number) => {
    const untilMs = performance.now() + seconds * 1000
    count = 0
    const hand = async () => {
      while (performance.now() < untilMs && count < most) await one()
    }
    await Promise.all(Array.from({ length: job.atOnce }, hand))
  }
  await go(job.warmSeconds, job.messages)
  const startedMs = performance.now()
  const before = process.cpuUsage()
  await go(job.seconds, job.messages)
  const { user, system } = process.cpuUsage(before)
  const seconds = (performance.now() - startedMs) / 1000
  await auth.close()
  return { messages: count, seconds, cpuMs: (user + system) / 1000 }
}

/** A number for something else than a whole evaluation would mean nothing. */
function assertPassed({ evidence }: Evaluation): void {
  const { spf, dkim, dmarc } = evidence
  const results = [spf.result, dkim[0]?.result, dmarc.result]
  if (results.some((result) => result !== 'pass'))
    throw new Error(`not all passed: ${JSON.stringify(evidence)}`)
}
