// Mail in that is judged: SPF, DKIM and DMARC pass, and the message is in the mailbox.

import { login } from '../load/imap-login.ts'
import { ImapWire } from '../load/imap-wire.ts'
import type { SmtpJob } from '../load/smtp.ts'
import { runLoad } from '../loader.ts'
import { costOf } from '../processes.ts'
import type { Author } from '../signed.ts'
import type { MailSystem } from '../systems/system.ts'
import { Arrivals } from './arrivals.ts'
import { type IngestShape, ingestMetrics, jobOf, runIngest } from './ingest.ts'
import type { Lengths, Measured, Metric, Numbers, Workload } from './workload.ts'
import { loopMetric, withLoopDelay } from './workload.ts'

const shapes: readonly IngestShape[] = [
  {
    name: 'checked-each',
    title: 'Judged mail, 10 at once, a connection for each message, 8 KiB',
    connections: 10,
    perConnection: 1,
    sizeBytes: 8192,
  },
  { name: 'checked-10', title: 'Judged mail, 10 connections, 8 KiB', connections: 10, sizeBytes: 8192 },
  {
    name: 'checked-small',
    title: 'Judged mail, 10 at once, a connection for each message, 2.5 KB',
    connections: 10,
    perConnection: 1,
    sizeBytes: 2500,
  },
]

const largeBytes = 25_000_000
/** Ours has a thread more whose code is to be compiled, and most of it runs once for each message only. */
const warmTimes = 3

const evaluationMetrics: readonly Metric[] = [
  { key: 'perCore', title: 'evaluations for each core', unit: '/s', better: 'more' },
  { key: 'cpuMs', title: 'CPU a message', unit: 'ms', better: 'less' },
  { key: 'rate', title: 'evaluations, main thread and one other', unit: '/s', better: 'more' },
]

const largeMetrics: readonly Metric[] = [
  { key: 'seconds', title: 'from its first octet to its reply', unit: 's', better: 'less' },
  { key: 'smallP99Ms', title: 'reply to small messages meanwhile p99', unit: 'ms', better: 'less' },
  loopMetric,
]

/** Only systems that judge have these: `MailSystem.author` is whose mail passes there. */
export const checkedWorkloads: readonly Workload[] = [
  ...shapes.map(
    (shape): Workload => ({
      ...{ name: shape.name, title: shape.title, metrics: ingestMetrics },
      prepare: ({ system }, lengths) =>
        prepare(system, jobOf(shape, system, { ...lengths, seconds: 2 + warmTimes * lengths.warmSeconds })),
      run: (measured, lengths) => runIngest(shape, measured, lengths, authorOf(measured.system)),
    }),
  ),
  {
    name: 'checked-evaluation',
    title: 'SPF, one rsa-2048 signature and DMARC of 8 KiB, the DNS cached',
    metrics: evaluationMetrics,
    without: ['chain'],
    run: runEvaluation,
  },
  {
    name: 'checked-25m',
    title: 'A signed message of 25 MB',
    metrics: largeMetrics,
    without: ['chain'],
    prepare: ({ system }, lengths) =>
      prepare(system, jobOf(shapes[0] as IngestShape, system, { ...lengths, seconds: 1, most: 20 })),
    run: runLarge,
  },
]

function authorOf({ author, title }: MailSystem): Author {
  if (author === undefined) throw new Error(`${title} judges nobody`)
  return author
}

async function prepare(system: MailSystem, job: SmtpJob): Promise<undefined> {
  const arrivals = await Arrivals.open(system)
  try {
    const { accepted } = await runLoad({ ...job, author: authorOf(system) })
    await arrivals.until(accepted)
  } finally {
    arrivals.close()
  }
  await assertJudged(system)
}

/** A number of a system that lets everything through would mean nothing: what it delivered last says that all passed. */
async function assertJudged({ many, ports, title }: MailSystem): Promise<void> {
  const [account] = many
  const wire = await ImapWire.open({ host: '127.0.0.1', port: ports.imap })
  try {
    if (account !== undefined) await login(wire, account)
    await wire.must('EXAMINE INBOX')
    const { text } = await wire.must('FETCH * BODY.PEEK[HEADER.FIELDS (AUTHENTICATION-RESULTS)]')
    const missing = ['spf=pass', 'dkim=pass', 'dmarc=pass'].filter((word) => !text.includes(word))
    if (missing.length > 0) throw new Error(`${title} does not judge: no ${missing.join(', ')} in ${text}`)
  } finally {
    wire.close()
  }
}

async function runEvaluation({ system }: Measured, lengths: Lengths): Promise<Numbers> {
  const { messages, seconds, cpuMs } = await runLoad({
    kind: 'evaluate',
    author: authorOf(system),
    sizeBytes: 8192,
    atOnce: 32,
    warmSeconds: lengths.warmSeconds,
    seconds: lengths.seconds,
    messages: lengths.most,
  })
  return { perCore: messages / (cpuMs / 1000), cpuMs: cpuMs / messages, rate: messages / seconds }
}

/** One comes after the other, while small ones come on another connection. */
async function runLarge({ system, warn }: Measured, lengths: Lengths): Promise<Numbers> {
  const author = authorOf(system)
  const most = lengths.most < 100 ? 1 : 3
  const shape = { name: '', title: '', connections: 1, sizeBytes: largeBytes }
  const large = { ...jobOf(shape, system, { seconds: 60, most }), author, bodies: 1 }
  const small = {
    ...jobOf({ ...shape, sizeBytes: 8192 }, system, { seconds: 60, most: 200 }),
    author,
    pauseMs: 20,
  }
  return await withLoopDelay(system, async () => {
    const before = costOf(system.processes())
    const [done, others] = await Promise.all([runLoad(large), runLoad(small)])
    const after = costOf(system.processes())
    for (const problem of [...done.problems, ...others.problems]) warn(problem)
    if (done.accepted < most) throw new Error(`${done.accepted} of ${most} large messages were accepted`)
    return {
      seconds: done.latencyMs.p50 / 1000,
      smallP99Ms: others.latencyMs.p99,
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    }
  })
}
