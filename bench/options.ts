import { parseArgs } from 'node:util'
import type { Lengths } from './workloads/workload.ts'

export type Peer = 'dovecot' | 'cyrus' | 'chain'

const everyPeer: readonly Peer[] = ['dovecot', 'cyrus', 'chain']

export interface BenchOptions {
  /** None: ours alone. */
  readonly peers: readonly Peer[]
  readonly runs: number
  /** Names of workloads, or beginnings of them; empty: all. */
  readonly only: readonly string[]
  readonly lengths: Lengths
  /** The main file of our program; undefined: the built package's. */
  readonly program: string | undefined
  /** Where the mail of all systems is kept while it is measured. */
  readonly folder: string | undefined
  /** Writes docs/performance.* */
  readonly write: boolean
  /** Gets all numbers as JSON. */
  readonly results: string | undefined
}

export const usage = `usage: npm run bench -- [--peers|--peer NAME] [--quick] [--runs N] [--only NAME …] [--seconds S]
                        [--program FILE] [--folder DIR] [--results FILE] [--write|--no-write]

  --peers     measures Postfix with Dovecot and with Cyrus in the same run, turn by turn with ours, and for judged
              mail Postfix with opendkim, opendmarc and Dovecot: as root, some 25 minutes. Their packages come by test/harness/packages.sh (install, then unpack).
  --peer NAME only this one of them, dovecot, cyrus or chain (that of judged mail).
  --quick     short loads, one run each: shows that everything works, and no more than that.
  --runs N    how often each is measured (3); the table shows medians.
  --only NAME measures only this workload (or those whose name begins so); may be repeated.
  --seconds S how long one load lasts (2.5).
  --program   our program's main file; without it the package in dist/, built if it is older than the source.
  --folder    where all mail is kept meanwhile (the system's temporary folder); its disk is what is measured.
  --results   a file that gets all numbers as JSON.
  --write     writes docs/performance.md with its plots and numbers: what a full --peers run does of its own accord.`

const usualSeconds = 2.5
const quickSeconds = 1
const usualRuns = 3

/** Reads the command line. @returns the sentence that says what is wrong with it, otherwise. */
export function readOptions(args: readonly string[]): BenchOptions | string {
  let values: ReturnType<typeof parsed>
  try {
    values = parsed(args)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  const quick = values.quick ?? false
  const runs = Number(values.runs ?? (quick ? 1 : usualRuns))
  const seconds = Number(values.seconds ?? (quick ? quickSeconds : usualSeconds))
  if (!Number.isInteger(runs) || runs < 1 || runs > 100) return '--runs takes a number from 1 to 100'
  if (!(seconds >= 0.1 && seconds <= 600)) return '--seconds takes a number from 0.1 to 600'
  const only = values.only ?? []
  const peers = values.peers ? everyPeer : everyPeer.filter((name) => values.peer?.includes(name))
  if (values.peer?.some((name) => !everyPeer.includes(name as Peer)))
    return '--peer takes dovecot, cyrus or chain'
  const isFull = peers.length === everyPeer.length && !quick && only.length === 0
  return {
    peers,
    runs,
    only,
    lengths: {
      seconds,
      most: Number.MAX_SAFE_INTEGER,
      warmSeconds: quick ? Math.min(1, seconds) : 4,
      messages: 10_000,
      manyMessages: 100_000,
      idleClients: 2_000,
      deliveries: 5,
      settleMs: 5_000,
      ownsMachine: true,
    },
    program: values.program,
    folder: values.folder,
    results: values.results,
    write: values['no-write'] ? false : (values.write ?? isFull),
  }
}

function parsed(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      peers: { type: 'boolean' },
      peer: { type: 'string', multiple: true },
      quick: { type: 'boolean' },
      runs: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', multiple: true },
      program: { type: 'string' },
      folder: { type: 'string' },
      results: { type: 'string' },
      write: { type: 'boolean' },
      'no-write': { type: 'boolean' },
    },
  }).values
}
