// What was tried for the goals that a run may miss, and what stands in their way. By hand: a run can't know.

import type { Goal } from '../goals.ts'
import type { Report } from '../results.ts'
import { verdicts } from './rows.ts'

export interface Reason {
  readonly title: string
  readonly workloads: readonly string[]
  /** The numbers of those workloads that it is about. */
  readonly metrics: readonly string[]
  readonly text: string
}

export const reasons: readonly Reason[] = [
  {
    title: 'Rate and CPU of mail that comes in',
    workloads: ['smtp-10', 'smtp-each', 'smtp-64k', 'lmtp-10', 'append-10'],
    metrics: ['delivered', 'accepted', 'cpuMs', 'replyP50Ms', 'replyP99Ms'],
    text: `A message of 4 KiB without pipelining is four commands and four replies. The main thread has 60 % of its CPU, the store thread a third; collecting garbage and the log have the rest. A third of the main thread is the kernel, which sends four replies over loopback and wakes the client for each; MIME is a sixth (25 µs a message), handing over to the store a tenth, garbage 6 %; what is left lies flat over hundreds of functions, none of which has 2 %. Half of the store thread is the kernel: two writes for each page of the log, an fsync for each group. The load client takes another 0.09 ms a message of the same two processors.
Gained: SQLite's log is written back by a thread of its own (the slowest replies take half the time), groups are tried without savepoints and grow while the writer is busy (half the fsyncs on 64 connections), lines of the log are gathered for 20 ms (5 % of all CPU). Without gain: smaller and larger young generations, collecting in one thread, sending the replies of a turn together, fdatasync in place of fsync. Left: to scan MIME in another thread, which moves work and takes none away; to keep large bodies outside SQLite's log, where 64 KiB are written twice.`,
  },
  {
    title: 'Judged mail',
    workloads: ['checked-each', 'checked-10', 'checked-small', 'checked-evaluation', 'checked-25m'],
    metrics: ['delivered', 'cpuMs', 'loopP99Ms', 'perCore'],
    text: `A message with SPF, one rsa-2048 signature and DMARC takes 1.15 ms of CPU on ten standing connections: half of it the main thread (0.34 ms of that a message costs there without being judged), 0.4 ms the thread that judges, the rest garbage collection and the writer. Ten times the rate of a chain behind Postfix would be 2,000 a second, which is more than two processors do that serve the client too. Verifying the signature is 0.05 ms; what is left of judging is flat: mailauth's SPF and DMARC make a fifth of the garbage, reading the header another, the questions to the DNS a tenth. A connection for each message costs 1.3 to 1.9 ms: the main thread has about twice as much to do.
Gained: signatures are verified without mailauth's stream and formatting, bodies are canonicalised without copies, keys are parsed once, answers that the DNS cache has go along with the message, signing has a thread of its own. For half of it SPF and DMARC would have to be written here and the header read once for both threads.`,
  },
  {
    title: 'One connection',
    workloads: ['smtp-1', 'append-1'],
    metrics: ['delivered', 'accepted'],
    text: 'Each message waits for four round trips of 0.1 ms and for one commit. Between them all processors sleep and everything is cold: the same work takes nearly twice the CPU that it takes on ten connections. A lone commit writes 13 to 16 pages (each table, each index and the map of free pages has one), which is 30 µs, and waits 120 µs for the disk; two threads are woken for it.',
  },
  {
    title: 'Disk',
    workloads: ['smtp-10'],
    metrics: ['diskMiB'],
    text: 'Of the octets of 10,000 messages 39 MiB are texts, 20 their headers and what IMAP asks of them (ENVELOPE, BODYSTRUCTURE, BODY, parts), 8 the traces. A row of the second kind has 1,600 octets, two on a page and the rest of it unused; three would fit if BODY were derived from BODYSTRUCTURE and the parts were packed closer. That is a change of the schema for 10 %.',
  },
  {
    title: 'Reading a mailbox',
    workloads: ['mailbox', 'large'],
    metrics: [
      ...['selectMs', 'flagsMs', 'structureFirstMs', 'structureMs'],
      ...['fieldsMs', 'bodyColdMs', 'bodyWarmMs', 'storeMs'],
    ],
    text: 'Header fields: the reader takes 25 to 28 ms of CPU, more than half of it SQLite and handing rows over, a sixth the choice of fields; Dovecot has them in a cache of their own. They are chosen over octets, without strings, and texts are read in groups: half of what it was. STORE: the CPU is 9 ms, one UPDATE for each range; the rest is the write of the commit, its fsync, and 450 KiB of answers. ENVELOPE and BODYSTRUCTURE for the first time take 80 ms where the system has the database’s pages in memory, and 320 to 360 ms where it has not: each system’s cold figure makes it forget those of all, and Cyrus writes what it needs anew with the COPY before. These are single answers on a server that has just started, so that part of the time the code is still being compiled: in one that has run for a while the flags of 10,000 take 3 to 5 ms.',
  },
  {
    title: 'Log-ins',
    workloads: ['logins'],
    metrics: ['login', 'scram'],
    text: 'LOGIN of a client that was seen a short time ago costs one round trip and no argon2id; SCRAM has three round trips by its nature. Beside a first LOGIN, with its 20 ms of argon2id, SCRAM is by far the faster.',
  },
  {
    title: 'Idle clients',
    workloads: ['idle', 'idle-tls'],
    metrics: ['eachKiB', 'allToldMs', 'toldPart'],
    text: 'Of an idle connection’s memory 6.4 KiB are objects of JavaScript. The rest is the socket in libuv, and what the allocator keeps of buffers for reading and for the log-in. Runs differ by 3 KiB.',
  },
]

/** Whether a reason speaks of this goal. */
export function speaksOf({ workloads, metrics }: Reason, { workload, metric }: Goal): boolean {
  return workloads.includes(workload) && metrics.includes(metric)
}

/** Of the goals that this run has missed. */
export function reasonsFor(report: Report): readonly Reason[] {
  const missed = verdicts(report).filter(({ state }) => state === 'not met')
  return reasons.filter((reason) => missed.some(({ goal }) => speaksOf(reason, goal)))
}
