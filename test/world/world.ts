import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { audit, auditPicture } from './audit.ts'
import { Chance } from './chance.ts'
import { checkFolder } from './check-folder.ts'
import { worldDialer } from './dialer.ts'
import { Ledger } from './ledger.ts'
import { copyFolder } from './machine.ts'
import { Network, NO_TROUBLE } from './network.ts'
import { operate } from './operator.ts'
import { BUSY_MS, makePlan, type Plan } from './plan.ts'
import { type Planted, spoilFiles } from './planted.ts'
import { Reader } from './reader.ts'
import { WorldResolver } from './resolver.ts'
import { Life, Scheduler } from './scheduler.ts'
import { type WorldParts, WorldServer } from './server.ts'
import { countQueued, readNumbers, readState, type State } from './state.ts'
import { submit } from './submitter.ts'
import { installSystem } from './system.ts'
import type { Templates } from './template.ts'
import { Transcript } from './transcript.ts'

export interface WorldOptions {
  readonly seed: number
  readonly templates: Templates
  /** Parts of the plan to leave out. */
  readonly without?: ReadonlySet<string> | undefined
  readonly planted?: Planted | undefined
  /** Keeps the transcript's lines. */
  readonly isTold?: boolean | undefined
  /** Whether every octet of every message is checked at the end, not only rows and counters. */
  readonly isDeep?: boolean | undefined
}

export interface WorldResult {
  readonly seed: number
  /** What did not hold; empty for a good world. */
  readonly broken: readonly string[]
  readonly hash: string
  readonly lines: readonly string[]
  readonly counts: Readonly<Record<string, number>>
}

/** Events of one world; the busiest good ones need a third of it. */
const MAX_STEPS = 400_000
/** Longer than any wait of a server that has nothing to do. */
const IDLE_MS = 24 * 3_600_000
/** Between two looks at whether mail still waits: each opens every database. */
const LOOK_EVERY_MS = 30_000
/** Mail has gone or was given up long before. */
const MAX_MS = 6 * 3_600_000

/** Runs the world of one seed from its first start to its last close, and looks at what is left. */
export async function runWorld(options: WorldOptions): Promise<WorldResult> {
  const folder = join(options.templates.folder, `seed-${options.seed}`)
  mkdirSync(folder)
  const world = new World(options, folder)
  try {
    return await world.run()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

class World {
  readonly #options: WorldOptions
  readonly #plan: Plan
  readonly #life = new Life('world')
  readonly #scheduler: Scheduler
  readonly #network: Network
  readonly #ledger = new Ledger()
  readonly #transcript: Transcript
  readonly #servers: readonly WorldServer[]
  readonly #readers: readonly Reader[]
  readonly #parts: WorldParts
  /** Who is not done yet. */
  readonly #atWork = new Set<string>()

  constructor(options: WorldOptions, folder: string) {
    this.#options = options
    const { seed } = options
    this.#plan = makePlan(seed, options.without)
    const jitter = new Chance(seed, 'immediates')
    const scheduler = new Scheduler(this.#life, () => jitter.fraction())
    this.#scheduler = scheduler
    this.#transcript = new Transcript(options.isTold === true)
    const note = (text: string): void => this.#transcript.note(scheduler.nowMs, text)
    this.#network = new Network(scheduler, new Chance(seed, 'network'), note)
    const addresses = new Map(this.#plan.servers.map(({ domain }, index) => [domain, `10.0.0.${index + 1}`]))
    const dns = { addresses, troubles: this.#plan.dns, scheduler, chance: new Chance(seed, 'dns') }
    this.#parts = {
      ...{ scheduler, note, world: this.#life, network: this.#network, ledger: this.#ledger },
      ...{ resolver: new WorldResolver(dns), chance: new Chance(seed, 'servers'), planted: options.planted },
    }
    this.#servers = this.#plan.servers.map((plan) => this.#makeServer(plan, folder, addresses))
    this.#readers = this.#plan.imap.map(
      (plan) =>
        new Reader({
          ...this.#parts,
          plan,
          chance: new Chance(seed, `${plan.name} acts`),
          server: this.#servers[plan.server] as WorldServer,
        }),
    )
  }

  async run(): Promise<WorldResult> {
    const scheduler = this.#scheduler
    const running = () => this.#servers.find(({ life }) => life === scheduler.current)
    const uninstall = installSystem({
      ...{ scheduler, chance: new Chance(this.#options.seed, 'system') },
      machine: () => running()?.machine,
      clockErrorMs: () => running()?.clockErrorMs ?? 0,
    })
    const repair = spoilFiles(this.#options.planted)
    const rejected = (cause: unknown): void => {
      scheduler.fault ??= cause
    }
    process.on('unhandledRejection', rejected)
    process.on('uncaughtException', rejected)
    try {
      await this.#live()
      if (scheduler.fault !== undefined) this.#ledger.broke(`fault: ${errorText(scheduler.fault)}`)
    } catch (error) {
      this.#ledger.broke(`the world itself: ${errorText(error)}`)
    } finally {
      process.off('unhandledRejection', rejected)
      process.off('uncaughtException', rejected)
      repair()
      uninstall()
      for (const server of this.#servers) server.machine.release()
    }
    return this.#result()
  }

  async #live(): Promise<void> {
    const { network } = this.#plan
    this.#network.trouble = network
    for (const server of this.#servers) server.start()
    const actors = this.#begin()
    if (!(await this.#until('mail is being sent', actors))) return
    this.#heal()
    if (!(await this.#untilQuiet())) return
    const states = await this.#look()
    if (states === undefined) return
    audit({ ledger: this.#ledger, states })
    await this.#close(states)
  }

  /** Everybody who does something, each as a life of its own. */
  #begin(): Promise<unknown> {
    const { seed, submitters, operatorActs } = this.#plan
    const parts = { ...this.#parts, servers: this.#servers }
    const senders = submitters.map((plan) => {
      const dialer = worldDialer(this.#network, '10.9.0.1')
      const own = { ...parts, plan, dialer, chance: new Chance(seed, `${plan.name} sends`) }
      return [plan.name, () => submit(own)] as const
    })
    const readers = this.#readers.map((reader) => [reader.parts.plan.name, () => reader.work()] as const)
    const chance = new Chance(seed, 'operator')
    const operator = ['operator', () => operate({ ...parts, acts: operatorActs, chance })] as const
    return Promise.all([...senders, ...readers, operator].map(([name, work]) => this.#act(name, work)))
  }

  #act(name: string, work: () => Promise<void>): Promise<void> {
    this.#atWork.add(name)
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#atWork.delete(name)
        resolve()
      }
      this.#scheduler.after(1, () => void work().then(done, reject), new Life(name))
    })
  }

  /** Nothing goes wrong any more, and every server is started again that is down. */
  #heal(): void {
    this.#note('all is healed')
    this.#network.trouble = { ...NO_TROUBLE, latencyMs: this.#plan.network.latencyMs }
    for (const server of this.#servers) server.heal()
  }

  /** Until every server is up, no mail waits, and nothing is being written. */
  async #untilQuiet(): Promise<boolean> {
    const look = async (): Promise<void> => {
      for (let quiet = 0, waitMs = LOOK_EVERY_MS; quiet < 2; ) {
        await this.#scheduler.sleep(waitMs)
        const isQuiet = this.#servers.every((one) => one.isUp && countQueued(one.databasePath) === 0)
        quiet = isQuiet && this.#scheduler.nowMs > BUSY_MS ? quiet + 1 : 0
        // A clock that was put back lets mail wait for hours.
        waitMs = isQuiet ? LOOK_EVERY_MS : Math.min(1.2 * waitMs, 300_000)
      }
    }
    return this.#until('mail is on its way', this.#asWorld(look))
  }

  /** Every client looks for the last time; its picture is held against what is stored. */
  async #look(): Promise<ReadonlyMap<string, State> | undefined> {
    const settled: Reader[] = []
    const settle = async (): Promise<void> => {
      for (const reader of this.#readers) if (await reader.settle()) settled.push(reader)
    }
    if (!(await this.#until('clients look for the last time', this.#asWorld(settle)))) return undefined
    const states = new Map(this.#servers.map((server) => [server.domain, readState(server.machine.folder)]))
    for (const { picture, account, parts } of settled) {
      const state = states.get(parts.server.domain)
      if (picture === undefined || state === undefined) continue
      auditPicture(this.#ledger, { name: parts.plan.name, account, picture }, state)
    }
    return states
  }

  /** Everything stops in order; nothing stays open, and the folders stand the checker's test. */
  async #close(states: ReadonlyMap<string, State>): Promise<void> {
    for (const reader of this.#readers) reader.leave()
    if (!(await this.#stop())) return
    await this.#sweep(states)
    for (const { domain, machine } of this.#servers) {
      for (const [what, value] of readNumbers(machine.folder)) this.#ledger.grows(`${domain} ${what}`, value)
      for (const finding of checkFolder(machine.folder, this.#options.isDeep === true))
        this.#ledger.broke(`${domain} check: ${finding}`)
    }
  }

  async #stop(): Promise<boolean> {
    const stop = () => Promise.all(this.#servers.map((server) => server.stop()))
    if (!(await this.#until('servers stop', this.#asWorld(stop)))) return false
    // A timer that was not cancelled may fire once more; one that goes on for ever is left open.
    const bounds = { maxSteps: MAX_STEPS, maxMs: this.#scheduler.nowMs + IDLE_MS, done: () => false }
    await this.#scheduler.run(bounds)
    for (const { domain, life, machine } of this.#servers) {
      const open = this.#network.open(life)
      const timers = this.#scheduler.waiting(life)
      const databases = [...machine.databases].filter(({ isOpen }) => isOpen).length
      if (open + timers + databases + machine.openFiles > 0)
        this.#ledger.broke(
          `${domain} has left open: ${open} connections, ${timers} timers, ${databases} databases, ${machine.openFiles} files`,
        )
    }
    return true
  }

  /** What a disk in trouble kept from being deleted, and nothing else, goes only at the next start; a file in use never does. */
  async #sweep(states: ReadonlyMap<string, State>): Promise<void> {
    const strewn = this.#servers.filter(({ domain }) => (states.get(domain)?.strayFiles.length ?? 0) > 0)
    for (const { domain, machine } of strewn)
      for (const file of states.get(domain)?.strayFiles ?? [])
        if (!machine.unremoved.has(file))
          this.#ledger.broke(`${domain}: body file ${file} is stray or missing, and no disk kept it`)
    if (strewn.length === 0) return
    for (const server of strewn) server.restart()
    const look = async (): Promise<void> => {
      while (!strewn.every(({ isUp }) => isUp)) await this.#scheduler.sleep(1_000)
    }
    if (!(await this.#until('servers start again', this.#asWorld(look))) || !(await this.#stop())) return
    for (const { domain, machine } of strewn)
      for (const file of readState(machine.folder).strayFiles)
        this.#ledger.broke(`${domain}: body file ${file} is stray or missing, after a start too`)
  }

  #asWorld(work: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#scheduler.after(0, () => void work().then(resolve, reject), this.#life)
    })
  }

  /** Lets the world go on until the work is done; false where it never would be. */
  async #until(what: string, work: Promise<unknown>): Promise<boolean> {
    let isDone = false
    work.then(
      () => {
        isDone = true
      },
      (error: unknown) => {
        this.#scheduler.fault ??= error
      },
    )
    const bounds = { maxSteps: MAX_STEPS, maxMs: MAX_MS, done: () => isDone }
    const end = await this.#scheduler.run(bounds)
    if (end !== 'done')
      this.#ledger.broke(`while ${what}: ${END_TEXTS[end]} (${[...this.#atWork].join(', ')})`)
    return end === 'done' && this.#scheduler.fault === undefined
  }

  #makeServer(
    plan: Plan['servers'][number],
    folder: string,
    addresses: ReadonlyMap<string, string>,
  ): WorldServer {
    const template = this.#options.templates.byDomain.get(plan.domain)
    if (template === undefined) throw new Error(`no template of ${plan.domain}`)
    const own = join(folder, plan.domain)
    copyFolder(template.folder, own)
    const address = addresses.get(plan.domain) ?? ''
    return new WorldServer(this.#parts, { plan, address, config: template.config, folder: own })
  }

  #note(text: string): void {
    this.#transcript.note(this.#scheduler.nowMs, text)
  }

  #result(): WorldResult {
    const servers = this.#servers
    const sum = (of: (server: WorldServer) => number): number =>
      servers.reduce((all, one) => all + of(one), 0)
    const outcomes = [...this.#ledger.sent.values()].flatMap(({ outcomes: all }) => [...all.values()])
    return {
      seed: this.#options.seed,
      broken: this.#ledger.broken,
      hash: this.#transcript.hash,
      lines: this.#transcript.lines ?? [],
      counts: {
        steps: this.#scheduler.steps,
        messages: this.#ledger.sent.size,
        accepted: outcomes.filter((one) => one === 'accepted').length,
        refused: outcomes.filter((one) => one === 'refused').length,
        unknown: outcomes.filter((one) => one === 'unknown').length,
        deaths: sum(({ deaths }) => deaths),
        cuts: this.#network.cuts,
        doubts: this.#ledger.doubts,
        faults: this.#ledger.faults + sum(({ machine }) => machine.faults),
      },
    }
  }
}

const END_TEXTS = {
  idle: 'nothing is left to happen, and it never ends',
  steps: `more than ${MAX_STEPS} events: work without bound`,
  time: `not over after ${MAX_MS / 3_600_000} hours`,
} as const

function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
