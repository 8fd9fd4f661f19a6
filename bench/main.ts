// The program behind `npm run bench`: measures ourselves, and with --peers other mail servers in the same run.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { type Floors, measureFloors } from './floors.ts'
import { endLoads } from './loader.ts'
import { describeMachine, isInMemory } from './machine.ts'
import { isInside, needForPeers, runInside } from './namespaces.ts'
import { type BenchOptions, type Peer, readOptions, usage } from './options.ts'
import { Refusal } from './refusal.ts'
import { resultsText, writePage } from './report/page.ts'
import { terminalText } from './report/terminal.ts'
import type { Report, WorkloadResult } from './results.ts'
import { runAll } from './run.ts'
import { startCyrus } from './systems/cyrus.ts'
import { startDovecot } from './systems/dovecot.ts'
import { builtProgram, startHikyaku } from './systems/hikyaku.ts'
import type { Host } from './systems/system.ts'
import { everyWorkload, workloadsNamed } from './workloads/every.ts'
import type { Workload } from './workloads/workload.ts'

const floorSeconds = 1
const root = join(import.meta.dirname, '..')
const docs = join(root, 'docs')

const tell = (line: string) => console.error(line)

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  console.error(error.message)
  process.exitCode = error.exitCode
}

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args)
  if (typeof options === 'string') throw new Refusal(`${options}\n\n${usage}`, 2)
  const workloads = workloadsNamed(options.only)
  if (workloads.length === 0) {
    const names = everyWorkload.map(({ name }) => name).join(' ')
    throw new Refusal(`--only ${options.only.join(' ')}: there are the workloads ${names}`, 2)
  }
  const isOutside = options.peers.length > 0 && !isInside()
  if (isOutside) needForPeers()
  const place = isInside() ? tmpdir() : resolve(options.folder ?? tmpdir())
  const folder = mkdtempSync(join(place, 'hikyaku-bench-'))
  // Other users, Postfix's and the stores', must reach what is theirs below.
  chmodSync(folder, 0o755)
  try {
    if (isInMemory(folder))
      throw new Refusal(`${folder} is in memory, where an fsync means nothing: give --folder on a disk`)
    needReachable(folder, options.peers.length > 0)
    if (isOutside) process.exitCode = await runInside(folder)
    else await measureAndTell(options, workloads, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The peers run as users of their own, who must get through to what is theirs. */
function needReachable(folder: string, forPeers: boolean): void {
  for (let at = folder; forPeers && at !== dirname(at); at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0)
      throw new Refusal(`${at} lets no other user through: give another place by --folder`)
  }
}

async function measureAndTell(
  options: BenchOptions,
  workloads: readonly Workload[],
  folder: string,
): Promise<void> {
  const stopping = new AbortController()
  const stop = () => {
    tell('stopping')
    stopping.abort()
    endLoads()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  const report = await measure(options, workloads, folder, stopping.signal)
  console.log(terminalText(report))
  if (stopping.signal.aborted) throw new Refusal('stopped before its end')
  if (options.results !== undefined) writeFileSync(options.results, resultsText(report))
  if (options.write) tell(`written: ${writePage(report, docs).join(', ')}`)
}

async function measure(
  options: BenchOptions,
  workloads: readonly Workload[],
  folder: string,
  signal: AbortSignal,
): Promise<Report> {
  const takenAt = new Date().toISOString()
  const program = options.program === undefined ? await builtProgram(tell) : resolve(options.program)
  const hosts: Host[] = []
  const floors: Floors[] = []
  const results: WorkloadResult[] = []
  const missing: string[] = []
  try {
    floors.push(await measureFloors(folder, floorSeconds))
    // Memory at rest first, while nothing has been done; ours then without the watch of its event loop.
    const isRest = ({ name }: Workload) => name === 'rest'
    const common = { lengths: options.lengths, runs: options.runs, tell, signal }
    const peers = await startPeers(folder, options.peers, missing)
    hosts.push(...peers)
    if (workloads.some(isRest)) {
      const bare = await startHikyaku({
        folder: below(folder, 'rest'),
        program,
        watchesLoop: false,
        copiesNode: true,
      })
      hosts.push(bare)
      // Making accounts has hashed passwords, which takes memory.
      await bare.restart()
      results.push(
        ...(await runAll({ ...common, hosts: [bare, ...peers], workloads: workloads.filter(isRest) })),
      )
      await bare.stop()
      hosts.pop()
    }
    const own = await startHikyaku({
      folder: below(folder, 'hikyaku'),
      program,
      watchesLoop: true,
      copiesNode: true,
    })
    hosts.unshift(own)
    results.push(
      ...(await runAll({ ...common, hosts, workloads: workloads.filter((each) => !isRest(each)) })),
    )
    floors.push(await measureFloors(folder, floorSeconds))
    return {
      takenAt,
      // Without the path of this checkout: the command is for others to run.
      command: ['npm run bench --', ...process.argv.slice(2)].join(' ').replaceAll(`${root}/`, ''),
      machine: describeMachine(folder),
      runs: options.runs,
      seconds: options.lengths.seconds,
      systems: hosts.flatMap(({ systems }) =>
        systems.map(({ name, title, about }) => ({ name, title, about })),
      ),
      missing,
      floors,
      workloads: results,
    }
  } finally {
    for (const host of hosts) await host.stop().catch((error: Error) => tell(`  ! ${error.message}`))
  }
}

async function startPeers(folder: string, names: readonly Peer[], missing: string[]): Promise<Host[]> {
  const hosts: Host[] = []
  for (const name of names) {
    tell(`starting Postfix and ${name}`)
    try {
      const start = name === 'cyrus' ? startCyrus : startDovecot
      hosts.push(await start(below(folder, name)))
    } catch (error) {
      // The others are measured all the same.
      const why = error instanceof Error ? error.message : String(error)
      tell(`  ! ${name} does not start: ${why}`)
      missing.push(`not measured, since it does not start: ${name}: ${why.split('\n')[0]}`)
    }
  }
  return hosts
}

function below(folder: string, name: string): string {
  const path = join(folder, name)
  mkdirSync(path, { mode: 0o755 })
  return path
}
