import { formatProblem, loadConfig } from '../../config/load.ts'
import { needsStart } from '../../config/print.ts'
import type { Config } from '../../config/settings.ts'
import { ServerCertificate } from '../../pki/certificate.ts'
import type { ConnectionCaps } from '../../platform/connection-caps.ts'
import type { MemoryBudget } from '../../platform/memory-budget.ts'
import type { CachingResolver } from '../../platform/resolver.ts'
import { type Served, serve } from '../../platform/serve.ts'
import { ServerTls } from '../../platform/tls.ts'
import { proveTls } from '../../platform/tls-proof.ts'
import type { Hasher } from '../../ports/credentials.ts'
import type { Log } from '../../ports/log.ts'
import type { Progress } from '../../ports/progress.ts'
import type { QueueRunner } from '../../queue/runner.ts'
import {
  type OperationArgs,
  type OperationResult,
  refused,
  said,
  unwatched,
} from '../operations/operation.ts'
import { strandedNote } from '../operations/stranded.ts'
import { OPERATIONS } from '../operations/table.ts'
import { pipelinePorts } from '../pipeline-ports.ts'
import { directorySettings } from '../settings.ts'
import {
  type Current,
  capSettings,
  changeResolver,
  type House,
  makeAuthenticator,
  makeRunner,
  makeServeEnv,
  openHouse,
  readSmarthostPassword,
  readTrustedCas,
  retention,
  type Wired,
} from '../wire.ts'
import { certificateOptions, tlsMaterial } from './certificates.ts'
import { watchDkim } from './dkim-watch.ts'
import { Duties } from './duties.ts'
import { closePorts, type Port } from './listeners.ts'
import { imapService, type ServiceParts, type Stoppable, smtpService } from './services.ts'

/** How long connections and deliveries under way may take to finish when the server stops. */
export const STOP_WITHIN_MS = 30_000
/** Certificates are looked at this often: a clock that was set right is seen within the hour, and a file put there by others. */
const RENEW_EVERY_MS = 3_600_000
/** The same sentence about a certificate is told again after so many looks. */
const TELL_EVERY_LOOKS = 24

export interface ServerParts {
  readonly current: Current
  /** The file that a reload reads. */
  readonly configFile: string
  readonly ports: readonly Port[]
  /** A given certificate, read while there were still the rights to read its key. */
  readonly certificate?: ServerCertificate | undefined
  readonly log: Log
  readonly hasher: Hasher
  /** Reopens log files after a reload. */
  readonly reopenLog: (config: Config) => void
  /** The store can't go on: the server must end. */
  onFault(cause: string): void
}

/** A server that runs: everything is open and proved. */
export class Server {
  readonly house: House
  readonly #parts: ServerParts
  readonly #certificate: ServerCertificate
  readonly #tls: ServerTls
  readonly #resolver: CachingResolver
  readonly #runner: QueueRunner
  readonly #duties: Duties
  readonly #caps: ConnectionCaps
  readonly memory: MemoryBudget
  readonly #sessions = new Set<Stoppable>()
  readonly #served: Served[] = []
  #cancelRenewal: () => void = () => {}
  /** Sentences about certificates that were told lately. */
  readonly #told = new Set<string>()
  #looks = 0
  #stopping: Promise<void> | undefined

  private constructor(parts: ServerParts, made: Prepared) {
    this.#parts = parts
    this.house = made.house
    this.#certificate = made.certificate
    this.#tls = made.tls
    this.#resolver = this.house.resolver
    this.#runner = makeRunner(parts.current, this.house.ports, {
      resolver: this.#resolver,
      trustedCas: made.trustedCas,
      believedNow: () => this.house.store.believedNow(),
      ownMx: ownMx(parts.ports),
    })
    this.#duties = new Duties(this.house)
    const env = makeServeEnv(parts.current.config, parts.log)
    this.#caps = env.caps
    this.memory = env.memory
    const services: ServiceParts = {
      config: () => parts.current.config,
      tls: () => this.#tls,
      pipeline: {
        ...pipelinePorts(this.house.ports),
        tally: this.house.reports.tally,
        reportReader: this.house.reports.receiver,
      },
      selfTests: this.house.selfTests,
      mailboxes: this.house.store.mailboxes,
      credentials: makeAuthenticator(this.house.ports),
      sessions: this.#sessions,
    }
    for (const port of parts.ports) {
      this.#served.push(
        port.serves === 'imap'
          ? serve(port.listener, imapService(port, services), env)
          : serve(port.listener, smtpService(port, port.serves, services), env),
      )
      parts.log.event('listener.open', { listener: port.listener.name, at: port.listener.shown })
    }
  }

  get config(): Config {
    return this.#parts.current.config
  }

  /** What a stop waits for. */
  get atWork(): { readonly connections: number; readonly deliveries: number } {
    return { connections: this.#sessions.size, deliveries: this.#runner.attempts }
  }

  /** The port that a listener got, the first of its name. */
  portOf(name: string): number | undefined {
    return this.#parts.ports.find(({ listener }) => listener.name === name)?.listener.port
  }

  /** Opens the data folder behind ports that are bound already. On failure the ports are closed. */
  static async start(parts: ServerParts): Promise<Wired<Server>> {
    const made = await prepare(parts)
    if (!made.ok) {
      await closePorts(parts.ports)
      return made
    }
    const server = new Server(parts, made.value)
    server.#runner.start()
    server.#duties.start()
    server.#renewLater()
    server.#watchDkim()
    await server.#noteStrandedAccounts()
    parts.log.event('server.started', {
      config: parts.configFile,
      ports: parts.ports.map(({ listener }) => `${listener.name}=${listener.shown}`).join(' '),
    })
    return { ok: true, value: server }
  }

  /** Runs what the control socket asks for. */
  async run(name: string, args: OperationArgs, progress: Progress = unwatched()): Promise<OperationResult> {
    if (name === 'reload') return this.reload()
    const operation = OPERATIONS.get(name)
    return operation === undefined
      ? refused(`This server knows no ${name}; is it older than the command?`)
      : operation({ ...this.house.ports, runner: this.#runner, selfTest: this.#selfTest() }, args, progress)
  }

  #selfTest() {
    return { tests: this.house.selfTests, door: ownMx(this.#parts.ports) }
  }

  /** Reads configuration and certificates again. With a mistake in either all stays as it was. */
  async reload(): Promise<OperationResult> {
    const { current, configFile, log } = this.#parts
    const loaded = loadConfig(configFile)
    if (!loaded.ok) return this.#reloadRefused(loaded.problems.map(formatProblem))
    const password = readSmarthostPassword(loaded.config)
    if (!password.ok) return this.#reloadRefused([password.sentence])
    // What needs a new start stays as it was; the rest of the file is in force at once.
    const later = needsStart(current.config, loaded.config)
    const config = withOld(loaded.config, current.config, later)
    const renewed = this.#certificate.renewIfDue(Date.now(), certificateOptions(config))
    if (renewed.kind === 'failed') return this.#reloadRefused([renewed.sentence])
    if (renewed.kind === 'renewed') {
      const replaced = this.#tls.replace([tlsMaterial(renewed.certificate)])
      if (!replaced.ok) return this.#reloadRefused([replaced.sentence])
      log.event('tls.renewed', {
        names: renewed.certificate.names.join(','),
        until: new Date(renewed.certificate.notAfterMs).toISOString(),
      })
    }
    changeResolver(this.#resolver, current.config, config)
    current.config = config
    current.smarthostPassword = password.value
    this.house.store.reload({ directory: directorySettings(config), retention: retention(config) })
    this.#caps.change(capSettings(config))
    this.#parts.reopenLog(config)
    this.#runner.wake()
    log.event('server.reloaded', { file: configFile, needsStart: later.join(' ') || undefined })
    for (const cause of renewed.notes) log.event('tls.problem', { cause })
    const notes = loaded.notes.map(formatProblem)
    for (const note of notes) log.event('server.note', { note })
    const broken = await this.house.ports.dkim.reload()
    for (const cause of broken) log.event('dkim.problem', { cause })
    const stranded = await this.#noteStrandedAccounts()
    return said(
      'The configuration is in force.',
      ...(later.length === 0 ? [] : [`Only after a new start: ${later.join(', ')}.`]),
      ...notes,
      ...renewed.notes,
      ...broken,
      ...(stranded === undefined ? [] : [stranded]),
    )
  }

  /** Takes no new work, finishes what is in hand, closes everything. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const { log, ports } = this.#parts
    log.event('server.stopping', {})
    this.#cancelRenewal()
    await closePorts(ports)
    for (const session of this.#sessions) session.stop()
    const runner = this.#runner.stop()
    const duties = this.#duties.stop()
    await Promise.all(this.#served.map((served) => served.finished(STOP_WITHIN_MS)))
    await Promise.race([
      Promise.all([runner, duties]),
      new Promise<void>((resolve) => void this.house.ports.clock.after(STOP_WITHIN_MS, resolve)),
    ])
    await this.house.close()
    log.event('server.stopped', {})
  }

  /** Accounts that mail no longer comes to, since nobody named their domain: said, not refused. */
  async #noteStrandedAccounts(): Promise<string | undefined> {
    const note = strandedNote(await this.house.ports.accounts.listAccounts(), this.config.domains.names)
    if (note !== undefined) this.#parts.log.event('server.note', { note })
    return note
  }

  #reloadRefused(sentences: readonly string[]): OperationResult {
    for (const sentence of sentences) this.#parts.log.event('server.reload-refused', { cause: sentence })
    return refused([...sentences, 'The old configuration stays in force.'].join('\n'))
  }

  #renewLater(): void {
    this.#cancelRenewal = this.house.ports.clock.after(RENEW_EVERY_MS, () => {
      this.#renew()
      this.#watchDkim()
      this.#renewLater()
    })
  }

  /** Beside everything else: the DNS may take its time. */
  #watchDkim(): void {
    const { log } = this.#parts
    watchDkim(this.house.ports).catch((error: unknown) =>
      log.event('server.fault', { cause: `looking for DKIM records: ${String(error)}` }),
    )
  }

  #renew(): void {
    const { log } = this.#parts
    const renewed = this.#certificate.renewIfDue(Date.now())
    const problems = renewed.kind === 'failed' ? [renewed.sentence] : [...renewed.notes]
    if (renewed.kind === 'renewed') {
      const replaced = this.#tls.replace([tlsMaterial(renewed.certificate)])
      if (replaced.ok) log.event('tls.renewed', { names: renewed.certificate.names.join(',') })
      else problems.push(replaced.sentence)
    }
    if (++this.#looks % TELL_EVERY_LOOKS === 0) this.#told.clear()
    for (const cause of problems) if (!this.#told.has(cause)) log.event('tls.problem', { cause })
    for (const cause of problems) this.#told.add(cause)
  }
}

interface Prepared {
  readonly house: House
  readonly certificate: ServerCertificate
  readonly tls: ServerTls
  readonly trustedCas: readonly string[] | undefined
}

/** What must be right before the first client is let in. */
async function prepare(parts: ServerParts): Promise<Wired<Prepared>> {
  const { current, log, hasher } = parts
  const trusted = readTrustedCas(current.config)
  if (!trusted.ok) return trusted
  const house = await openHouse(current, { log, hasher, onFault: (cause) => parts.onFault(cause) })
  if (!house.ok) return house
  const secured = await openTls(current.config, log, parts.certificate)
  if (secured.ok)
    return { ok: true, value: { house: house.value, trustedCas: trusted.value, ...secured.value } }
  await house.value.close()
  return secured
}

async function openTls(
  config: Config,
  log: Log,
  given: ServerCertificate | undefined,
): Promise<Wired<{ readonly certificate: ServerCertificate; readonly tls: ServerTls }>> {
  const opened =
    given === undefined
      ? ServerCertificate.open(certificateOptions(config), Date.now())
      : ({ ok: true, server: given, notes: [] } as const)
  if (!opened.ok) return opened
  for (const note of opened.notes) log.event('tls.problem', { cause: note })
  const certificate = opened.server
  const loaded = ServerTls.load([tlsMaterial(certificate.current)])
  if (!loaded.ok) return loaded
  // A port that says it has TLS and has not is worse than one that is shut.
  const proof = await proveTls(loaded.tls, [config.server.hostname], certificate.current.caPem)
  // A given certificate may lack a name or be out of date and still serve; what makes every handshake fail was refused above.
  if (!proof.ok && certificate.current.source === 'own') return proof
  if (!proof.ok) log.event('tls.problem', { cause: proof.sentence })
  return { ok: true, value: { certificate, tls: loaded.tls } }
}

/** The configuration as read, but for the settings that only a new start brings into force. */
function withOld(read: Config, old: Config, later: readonly string[]): Config {
  const merged: Record<string, Record<string, unknown>> = Object.fromEntries(
    Object.entries(read).map(([section, values]) => [section, { ...values }]),
  )
  for (const name of later) {
    const [section = '', key = ''] = name.split('.')
    const values = merged[section]
    if (values !== undefined)
      values[key] = (old as unknown as Record<string, Record<string, unknown>>)[section]?.[key]
  }
  return merged as unknown as Config
}

/** Where we reach our own MX port from this machine. */
function ownMx(ports: readonly Port[]): { readonly address: string; readonly port: number } | undefined {
  for (const { serves, listener } of ports) {
    if (serves !== 'mx' || listener.at.kind !== 'tcp') continue
    const { address } = listener.at
    return {
      address: address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address,
      port: listener.port,
    }
  }
  return undefined
}
