// The program behind `npm run bench`: measures ourselves, and with --peers other mail servers in the same run.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { type Floors, measureFloors } from './floors.ts'
import { endLoads } from './loader.ts'
import { describeMachine, isInMemory } from './machine.ts'
import { type Names, startNames } from './names.ts'
import { isInside, needForPeers, runInside } from './namespaces.ts'
import { type BenchOptions, type Peer, readOptions, usage } from './options.ts'
import { Refusal } from './refusal.ts'
import { resultsText, writePage } from './report/page.ts'
import { terminalText } from './report/terminal.ts'
import type { Report, SystemInfo, WorkloadResult } from './results.ts'
import { runAll } from './run.ts'
import type { Author } from './signed.ts'
import { startCyrus } from './systems/cyrus.ts'
import { startDovecot } from './systems/dovecot.ts'
import { builtProgram, type HikyakuOptions, startHikyaku } from './systems/hikyaku.ts'
import type { Host, SystemName } from './systems/system.ts'
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
  let names: Names | undefined
  try {
    floors.push(await measureFloors(folder, floorSeconds))
    const common = { lengths: options.lengths, runs: options.runs, tell, signal }
    const place: Place = { folder, program, missing, hosts, shown: new Map() }
    const [rest, judged, plain] = sorted(workloads)
    const peers = rest.length + plain.length > 0 ? await startPeers(place, options.peers) : []
    if (rest.length > 0) {
      const bare = await startOwn(place, 'rest', { watchesLoop: false })
      // Making accounts has hashed passwords, which takes memory.
      await bare.restart()
      results.push(...(await runAll({ ...common, hosts: [bare, ...peers], workloads: rest })))
      await stopOwn(place, bare)
    }
    if (plain.length > 0) {
      const own = await startOwn(place, 'hikyaku', { watchesLoop: true })
      results.push(...(await runAll({ ...common, hosts: [own, ...peers], workloads: plain })))
      if (judged.length > 0) await stopOwn(place, own)
    }
    if (judged.length > 0) {
      names = await startNames({ takes53: options.peers.includes('chain') })
      const own = await startOwn(place, 'judging', { watchesLoop: true, author: names.author })
      const chain = await startPeers(place, options.peers, names.author)
      results.push(...(await runAll({ ...common, hosts: [own, ...chain], workloads: judged })))
    }
    floors.push(await measureFloors(folder, floorSeconds))
    return {
      takenAt,
      // Without the path of this checkout: the command is for others to run.
      command: ['npm run bench --', ...process.argv.slice(2)].join(' ').replaceAll(`${root}/`, ''),
      machine: describeMachine(folder),
      runs: options.runs,
      seconds: options.lengths.seconds,
      systems: oursFirst([...place.shown.values()]),
      missing,
      floors,
      workloads: results,
    }
  } finally {
    names?.stop()
    for (const host of hosts) await host.stop().catch((error: Error) => tell(`  ! ${error.message}`))
  }
}

/** Memory at rest first, while nothing has been done; ours then without the watch of its event loop. */
function sorted(
  workloads: readonly Workload[],
): [rest: readonly Workload[], judged: readonly Workload[], plain: readonly Workload[]] {
  const kind = ({ name }: Workload) =>
    name === 'rest' ? 'rest' : name.startsWith('checked-') ? 'judged' : 'plain'
  const of = (wanted: string) => workloads.filter((each) => kind(each) === wanted)
  return [of('rest'), of('judged'), of('plain')]
}

interface Place {
  readonly folder: string
  readonly program: string
  readonly missing: string[]
  /** All that run. */
  readonly hosts: Host[]
  /** All that ran, for the reader. */
  readonly shown: Map<SystemName, SystemInfo>
}

async function startOwn(
  { folder, program, hosts, shown }: Place,
  name: string,
  how: Pick<HikyakuOptions, 'watchesLoop' | 'author'>,
): Promise<Host> {
  const host = await startHikyaku({ folder: below(folder, name), program, copiesNode: true, ...how })
  hosts.unshift(host)
  show(shown, host)
  return host
}

/** The others stand in the order in which they ran. */
function oursFirst(systems: readonly SystemInfo[]): readonly SystemInfo[] {
  return systems.toSorted((a, b) => Number(b.name === 'hikyaku') - Number(a.name === 'hikyaku'))
}

function show(shown: Place['shown'], { systems }: Host): void {
  for (const { name, title, about } of systems) if (!shown.has(name)) shown.set(name, { name, title, about })
}

async function stopOwn({ hosts }: Place, host: Host): Promise<void> {
  hosts.splice(hosts.indexOf(host), 1)
  await host.stop()
}

/** @param author of mail that is judged: the peer that judges it, or without, those that do not. */
async function startPeers(
  { folder, missing, hosts: all, shown }: Place,
  names: readonly Peer[],
  author?: Author,
): Promise<Host[]> {
  const hosts: Host[] = []
  for (const name of names) {
    if ((name === 'chain') !== (author !== undefined)) continue
    tell(`starting Postfix and ${name}`)
    try {
      const start = name === 'cyrus' ? startCyrus : startDovecot
      const host = await start(below(folder, name), author)
      hosts.push(host)
      all.push(host)
      show(shown, host)
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
