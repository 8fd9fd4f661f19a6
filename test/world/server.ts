import { rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { OperationPorts, OperationResult } from '../../src/app/operations/operation.ts'
import { unwatched } from '../../src/app/operations/operation.ts'
import { OPERATIONS } from '../../src/app/operations/table.ts'
import { pipelinePorts } from '../../src/app/pipeline-ports.ts'
import type { Port } from '../../src/app/server/listeners.ts'
import { imapService, type ServiceParts, type Stoppable, smtpService } from '../../src/app/server/services.ts'
import { directorySettings, queueSettings } from '../../src/app/settings.ts'
import { makeAuthenticator, makeServeEnv } from '../../src/app/wire.ts'
import type { Config } from '../../src/config/settings.ts'
import { Deadlines } from '../../src/platform/deadlines.ts'
import { type Served, serve } from '../../src/platform/serve.ts'
import type { Log } from '../../src/ports/log.ts'
import { QueueRunner } from '../../src/queue/runner.ts'
import { SmtpDeliverer } from '../../src/session/smtp/outbound.ts'
import { openStore, type Store } from '../../src/store/sqlite/open.ts'
import type { Chance } from './chance.ts'
import { worldClock } from './clock.ts'
import { worldDialer } from './dialer.ts'
import { worldHasher } from './hasher.ts'
import type { Ledger } from './ledger.ts'
import { copyFolder, Machine } from './machine.ts'
import { worldDkim, worldMailAuth } from './mail-auth.ts'
import type { Network } from './network.ts'
import { observe } from './observed.ts'
import type { ServerPlan } from './plan.ts'
import { type Planted, spoilAfterCrash, spoilIntake, spoilQueue, spoilReport } from './planted.ts'
import type { WorldResolver } from './resolver.ts'
import { Life, type Scheduler } from './scheduler.ts'
import { worldThreads } from './threads.ts'

export interface WorldParts {
  readonly scheduler: Scheduler
  readonly network: Network
  readonly resolver: WorldResolver
  readonly ledger: Ledger
  readonly world: Life
  readonly chance: Chance
  readonly planted: Planted | undefined
  note(text: string): void
}

/** Ports of each server, all on its one address. */
const PORTS = [
  { name: 'mx', serves: 'mx', port: 25 },
  { name: 'submission', serves: 'submission', port: 587 },
  { name: 'lmtp', serves: 'lmtp', port: 24 },
  { name: 'imap', serves: 'imap', port: 143 },
] as const

interface Running {
  readonly store: Store
  readonly runner: QueueRunner
  readonly operations: OperationPorts
  readonly sessions: Set<Stoppable>
  readonly served: readonly Served[]
  readonly deadlines: Deadlines
  readonly closePorts: () => void
}

const STOP_WITHIN_MS = 30_000
const ROOM_BYTES = 1 << 30

/** One of our servers through all its lives: it starts, serves, dies and starts again from what is on its disk. */
export class WorldServer {
  readonly plan: ServerPlan
  readonly address: string
  life: Life
  machine: Machine
  starts = 0
  deaths = 0
  isHealed = false
  readonly #parts: WorldParts
  readonly #config: Config
  readonly #folder: string
  #running: Running | undefined
  #stopped: Promise<void> | undefined

  /** @param folder the template's copy; each life has a folder of its own beside it. */
  constructor(
    parts: WorldParts,
    given: {
      readonly plan: ServerPlan
      readonly address: string
      readonly config: Config
      readonly folder: string
    },
  ) {
    this.#parts = parts
    this.plan = given.plan
    this.address = given.address
    this.#config = given.config
    this.#folder = given.folder
    this.life = new Life(given.plan.domain)
    this.machine = this.#newMachine()
  }

  get domain(): string {
    return this.plan.domain
  }

  get isUp(): boolean {
    return this.#running !== undefined && this.life.alive
  }

  /** How far its clock is from the world's. */
  get clockErrorMs(): number {
    const { nowMs } = this.#parts.scheduler
    return this.plan.jumps.reduce((sum, { atMs, byMs }) => (atMs <= nowMs ? sum + byMs : sum), 0)
  }

  get #freeBytes(): number {
    const { nowMs } = this.#parts.scheduler
    const { lowRoom } = this.plan
    const isLow = lowRoom !== undefined && !this.isHealed && nowMs >= lowRoom.fromMs && nowMs < lowRoom.toMs
    return isLow ? lowRoom.freeBytes : ROOM_BYTES
  }

  get databasePath(): string {
    return join(this.machine.folder, 'hikyaku.db')
  }

  start(): void {
    this.starts++
    const { life } = this
    this.#parts.scheduler.after(0, () => void this.#start(life), life)
  }

  /** From now on nothing goes wrong here any more. */
  heal(): void {
    this.isHealed = true
    this.machine.statementsLeft = undefined
  }

  /** The process is gone at this very moment. */
  crash(why: string): void {
    const { scheduler, network, ledger, world } = this.#parts
    const { life, machine } = this
    if (!life.alive) return
    this.#parts.note(`${this.domain} dies: ${why}`)
    this.deaths++
    life.alive = false
    ledger.faults += machine.faults
    this.#running = undefined
    network.dropLife(life)
    ledger.lifeEnded(life)
    this.life = new Life(this.domain)
    this.machine = this.#newMachine()
    copyFolder(machine.folder, this.machine.folder)
    const next = this.life
    scheduler.after(
      0,
      () => {
        machine.release()
        rmSync(machine.folder, { recursive: true })
        spoilAfterCrash(this.#parts.planted, this.databasePath)
      },
      world,
    )
    scheduler.after(1 + this.plan.downMs, () => this.life === next && this.start(), world)
  }

  /** After a stop: another life on the same folder. */
  restart(): void {
    this.life = new Life(this.domain)
    this.machine = this.#newMachine(this.machine.folder)
    this.#stopped = undefined
    this.start()
  }

  /** What an operator's command does here; undefined while the server is down, or where it died on the way. */
  run(operation: string, args: Readonly<Record<string, unknown>>): Promise<OperationResult | undefined> {
    const running = this.#running
    const act = OPERATIONS.get(operation)
    if (running === undefined || act === undefined) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const { scheduler } = this.#parts
      const asker = scheduler.current
      // The answer goes to another process: what that one does next is not the server's.
      const tell = (result?: OperationResult): void => void scheduler.after(0.1, () => resolve(result), asker)
      // As the control socket has it: what a command throws ends that command alone.
      const run = () => act(running.operations, args, unwatched()).then(tell, () => tell())
      scheduler.after(0, () => void run(), this.life)
      // A command whose server died is told nothing.
      scheduler.after(120_000, () => resolve(undefined))
    })
  }

  /** As `Server.stop` does it. Resolves when everything is closed. */
  stop(): Promise<void> {
    this.#stopped ??= new Promise((resolve) => {
      this.#parts.scheduler.after(0, () => void this.#stop().then(resolve), this.life)
    })
    return this.#stopped
  }

  async #stop(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    running.closePorts()
    for (const session of running.sessions) session.stop()
    const runner = running.runner.stop()
    await Promise.all(running.served.map((served) => served.finished(STOP_WITHIN_MS)))
    await runner
    if (running.deadlines.size > 0) this.#parts.ledger.broke(`${this.domain}: deadlines left after the stop`)
    await running.store.close()
    this.#running = undefined
  }

  async #start(life: Life): Promise<void> {
    const { scheduler, note } = this.#parts
    const { machine } = this
    const spoil = (text: string) => spoilReport(this.#parts.planted, text)
    const opened = await openStore({
      folder: machine.folder,
      directory: directorySettings(this.#config),
      retention: { traceMaxAgeMs: this.#config.traces.keep, traceMaxBytes: this.#config.traces.max_size },
      now: () => Date.now(),
      diskSpace: () => ({ freeBytes: this.#freeBytes, totalBytes: ROOM_BYTES }),
      startThread: worldThreads({ scheduler, chance: this.#parts.chance, machine, note, spoil }),
      onFault: (cause) => scheduler.after(0, () => this.#faulted(life, cause), this.#parts.world),
      onNote: (text) => note(`${this.domain} notes: ${text}`),
    })
    if (!opened.ok) {
      const { problem } = opened.error
      if (machine.faults > 0) this.#faulted(life, `does not start: ${problem}`)
      else this.#parts.ledger.broke(`${this.domain} does not start: ${problem}`)
      return
    }
    note(`${this.domain} is up, ${opened.store.sweptBodies} swept`)
    this.#running = this.#serve(opened.store)
    this.#expectDeath(machine)
  }

  /** The real server ends with such a sentence, and is started again. */
  #faulted(life: Life, cause: string): void {
    if (life === this.life) this.crash(`store fault: ${cause}`)
  }

  #serve(store: Store): Running {
    const { scheduler, network, resolver, ledger, chance } = this.#parts
    const { life } = this
    const clock = worldClock(scheduler, () => this.clockErrorMs)
    const random = { bytes: (count: number) => chance.bytes(count) }
    const log = this.#log()
    const { accounts, mailboxes, traces, directory } = store
    const intake = spoilIntake(this.#parts.planted, store.intake)
    const config = () => this.#config
    const dialer = worldDialer(network, this.address)
    const heloName = () => this.#config.server.hostname
    const observed = observe({
      ledger,
      life,
      queue: spoilQueue(this.#parts.planted, store.queue),
      deliverer: new SmtpDeliverer({ dialer, clock, random, heloName }),
    })
    const operations: OperationPorts = {
      ...{
        accounts,
        mailboxes,
        intake,
        traces,
        directory,
        backups: store.backups,
        quarantine: store.quarantine,
        trust: store.trust,
        reports: store.reports,
        mailAuth: worldMailAuth(),
        dkim: worldDkim(),
        resolver,
        hasher: worldHasher(),
        random,
        clock,
        log,
        config,
      },
      queue: observed.queue,
      installationSecret: new Uint8Array(32).fill(7),
    }
    const runner = new QueueRunner({
      ...{ intake, directory, clock, random, log, resolver },
      ...observed,
      believedNow: () => store.believedNow(),
      settings: () => queueSettings(this.#config, undefined, undefined),
    })
    const sessions = new Set<Stoppable>()
    const deadlines = new Deadlines(clock)
    const services: ServiceParts = {
      ...{ config, mailboxes, sessions, tls: () => undefined },
      pipeline: pipelinePorts(operations),
      credentials: makeAuthenticator(operations),
    }
    const ports = this.#listen(services, { ...makeServeEnv(this.#config, log), deadlines })
    runner.start()
    return { store, runner, operations: { ...operations, runner }, sessions, deadlines, ...ports }
  }

  #listen(services: ServiceParts, env: Parameters<typeof serve>[2]) {
    const served: Served[] = []
    const closers: (() => void)[] = []
    for (const { name, serves, port } of PORTS) {
      const start = (accept: (socket: Socket) => void): void => {
        closers.push(this.#parts.network.listen(`${this.address} ${port}`, this.life, accept))
      }
      const listener = {
        ...{ name, port, start, shown: `${this.address}:${port}`, close: () => Promise.resolve() },
        at: { kind: 'tcp', address: this.address, port },
      } as const
      const at: Port = { serves, implicitTls: false, listener }
      served.push(
        serves === 'imap'
          ? serve(listener, imapService(at, services), env)
          : serve(listener, smtpService(at, serves, services), env),
      )
    }
    return {
      served,
      closePorts: () => {
        for (const close of closers) close()
      },
    }
  }

  /** Faults of ours are failures of the world, whoever caused them. */
  #log(): Log {
    return {
      event: (name, fields) => {
        // A disk that cannot be read is told the same way as a fault of ours.
        const isDisk = String(fields.cause).startsWith('ReadFault') && !this.isHealed
        if (name === 'server.fault' && !isDisk)
          this.#parts.ledger.broke(`${this.domain}: server.fault ${fields.cause ?? ''}`)
        else if (/fault$/.test(name)) this.#parts.note(`${this.domain} ${name} ${fields.cause ?? ''}`)
      },
    }
  }

  /** The next death of the plan, for this life. */
  #expectDeath(machine: Machine): void {
    const { scheduler, world } = this.#parts
    const death = this.plan.deaths[this.deaths]
    if (death === undefined || this.isHealed) return
    const inMs = Math.max(0, death.atMs - scheduler.nowMs)
    scheduler.after(
      inMs,
      () => {
        if (this.isHealed || this.machine !== machine) return
        if (death.statements === undefined) this.crash('at a moment')
        else machine.statementsLeft = death.statements
      },
      world,
    )
  }

  /** @param folder where it is not the one of the next life after a death. */
  #newMachine(folder = this.deaths === 0 ? this.#folder : `${this.#folder}-${this.deaths}`): Machine {
    const { scheduler, chance } = this.#parts
    return new Machine({
      life: this.life,
      folder,
      chance,
      troubles: this.plan.troubles,
      nowMs: () => (this.isHealed ? Number.POSITIVE_INFINITY : scheduler.nowMs),
      onDeath: () => this.crash('within its writer'),
    })
  }
}
