import { formatProblem, loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/settings.ts'
import { ServerCertificate } from '../../pki/certificate.ts'
import { ThreadedHasher } from '../../platform/hasher.ts'
import type { RoutedLog } from '../../platform/log.ts'
import { descriptorLimit } from '../../platform/privileges.ts'
import { onSignals } from '../../platform/signals.ts'
import { certificateOptions } from '../server/certificates.ts'
import { serveOperations } from '../server/control.ts'
import { becomeDataOwner } from '../server/data-folder.ts'
import { openPorts, type Port } from '../server/listeners.ts'
import { openLog, reopenLog } from '../server/logs.ts'
import { runningSentence } from '../server/running.ts'
import { Server, STOP_WITHIN_MS } from '../server/server.ts'
import { type Current, readSmarthostPassword, type Wired } from '../wire.ts'
import { configLine, findConfigFile } from './config-file.ts'
import type { Io } from './io.ts'
import { type CommandContext, parseCommandLine, type Verb } from './verb.ts'

/** One password costs 20 ms: two threads check a hundred a second and leave the rest of the machine to the mail. */
const HASHER_THREADS = 2
/** npm and the terminal both pass on Ctrl-C: a second one so soon is the first. */
const SAME_SIGNAL_MS = 1_000

export const SERVE_VERB: Verb = {
  words: 'serve',
  usage: '[--config FILE]',
  says: 'Runs the server in the foreground until SIGTERM; SIGHUP makes it read its configuration again.',
  async run(args, context) {
    parseCommandLine(args, {})
    return runServer(context, async () => {})
  },
}

/**
 * Runs a server until it is told to stop.
 * @param ready called once everything is open.
 * @returns the exit code.
 */
export async function runServer(
  context: CommandContext,
  ready: (server: Server) => Promise<void>,
): Promise<number> {
  const configFile = findConfigFile(context.configFile)
  const current = readCurrent(configFile)
  if (!current.ok) return fail(context, current.sentences)
  const { config } = current.value
  const opened = openLog(config, configFile)
  if (!opened.ok) return fail(context, [opened.sentence, configLine(configFile)])
  const { log } = opened
  const ended = Promise.withResolvers<number>()
  const hasher = new ThreadedHasher({ threads: HASHER_THREADS })
  const started = await start(current.value, {
    configFile,
    notes: current.notes,
    log,
    hasher,
    fault: (cause) => ended.reject(new Error(cause)),
  })
  if (!started.ok) {
    // Where the log goes to the terminal too, once is enough.
    if (!logsToStderr(config))
      for (const sentence of started.sentences) log.event('server.failed', { cause: sentence })
    await Promise.all([log.close(), hasher.close()])
    return fail(context, [...started.sentences, configLine(configFile)])
  }
  return serveUntilStopped(started.value, { context, log, hasher, ended, ready })
}

async function serveUntilStopped(
  server: Server,
  parts: {
    readonly context: CommandContext
    readonly log: RoutedLog
    readonly hasher: ThreadedHasher
    readonly ended: PromiseWithResolvers<number>
    ready(server: Server): Promise<void>
  },
): Promise<number> {
  const { context, log, hasher, ended } = parts
  const { io } = context
  const control = await serveOperations(server.config.server.data, server)
  if (!control.ok) io.err(control.sentence)
  const offSignals = handleSignals({ server, log, io, stopped: () => ended.resolve(0) })
  void parts.ready(server).catch(ended.reject)
  const code = await ended.promise.catch((error: unknown) => {
    const cause = error instanceof Error ? error.message : String(error)
    if (!logsToStderr(server.config)) log.event('server.fault', { cause })
    io.err(`The server cannot go on: ${cause}`)
    return 1
  })
  if (control.ok) await control.close()
  await server.stop()
  offSignals()
  await Promise.all([hasher.close(), log.close()])
  if (code === 0 && isForeground()) io.err('Stopped.')
  return code
}

/** Somebody looks on. */
const isForeground = (): boolean => process.stderr.isTTY === true

const logsToStderr = (config: Config): boolean => config.log.to === 'stderr'

type Started<T> =
  | { readonly ok: true; readonly value: T; readonly notes: readonly string[] }
  | { readonly ok: false; readonly sentences: readonly string[] }

function readCurrent(configFile: string): Started<Current> {
  const loaded = loadConfig(configFile)
  if (!loaded.ok) return { ok: false, sentences: loaded.problems.map(formatProblem) }
  const password = readSmarthostPassword(loaded.config)
  if (!password.ok) return { ok: false, sentences: [password.sentence] }
  return {
    ok: true,
    value: { config: loaded.config, configFile, smarthostPassword: password.value },
    notes: loaded.notes.map(formatProblem),
  }
}

/** Ports first, while there may still be root to bind them; then nothing but the mail's own user. */
async function start(
  current: Current,
  parts: {
    readonly configFile: string
    readonly notes: readonly string[]
    readonly log: RoutedLog
    readonly hasher: ThreadedHasher
    fault(cause: string): void
  },
): Promise<Started<Server>> {
  const { log, hasher, configFile } = parts
  const { config } = current
  const running = await runningSentence(config.server.data)
  if (running !== undefined) return { ok: false, sentences: [running] }
  for (const note of parts.notes) log.event('server.note', { note })
  const ports = await openPorts(config, log)
  if (!ports.ok) return ports
  const certificate = givenCertificate(config)
  if (certificate?.ok === false) return closing(ports.ports, certificate.sentence)
  const dropped = becomeUser(config, ports.ports, log)
  if (dropped !== undefined) return closing(ports.ports, dropped)
  const server = await Server.start({
    current,
    configFile,
    ports: ports.ports,
    certificate: certificate?.value,
    log,
    hasher,
    reopenLog: (changed) => reopenLog(log, changed, configFile),
    onFault: (cause) => parts.fault(cause),
  })
  return server.ok
    ? { ok: true, value: server.value, notes: [] }
    : { ok: false, sentences: [server.sentence] }
}

/** A given key may be readable by root alone: it is read while we are. */
function givenCertificate(config: Config): Wired<ServerCertificate> | undefined {
  if (config.tls.certificate === undefined) return undefined
  const opened = ServerCertificate.open(certificateOptions(config), Date.now())
  return opened.ok ? { ok: true, value: opened.server } : opened
}

/** @returns why the server must not go on. */
function becomeUser(config: Config, ports: readonly Port[], log: RoutedLog): string | undefined {
  const { user } = config.server
  if (user === undefined) {
    if (process.getuid?.() === 0)
      log.event('server.note', { note: 'the server stays root: name a user with server.user' })
    return undefined
  }
  const sockets = ports.flatMap(({ listener }) => (listener.at.kind === 'unix' ? [listener.at.path] : []))
  const sentence = becomeDataOwner(config, sockets)
  if (sentence !== undefined) return sentence
  const limit = descriptorLimit()
  if (limit !== undefined && limit < config.listen.max_connections + 100) {
    log.event('server.note', {
      note: `only ${limit} files may be open at once, fewer than listen.max_connections needs`,
    })
  }
  return undefined
}

async function closing(ports: readonly Port[], sentence: string): Promise<Started<never>> {
  await Promise.all(ports.map(({ listener }) => listener.close()))
  return { ok: false, sentences: [sentence] }
}

function handleSignals(on: {
  readonly server: Server
  readonly log: RoutedLog
  readonly io: Io
  stopped(): void
}): () => void {
  const { server, log, io } = on
  let stoppedAtMs = 0
  return onSignals({
    stop() {
      stoppedAtMs = performance.now()
      if (isForeground()) io.err(stopSentence(server.atWork))
      on.stopped()
    },
    stopNow(signal) {
      if (performance.now() - stoppedAtMs < SAME_SIGNAL_MS) return
      log.event('server.note', { note: `ended at once by a second ${signal}` })
      process.exit(1)
    },
    reload() {
      void server.reload().then((result) => {
        // Whoever sent the signal looks at the terminal, where the log may not go.
        if (!result.ok && !logsToStderr(server.config))
          for (const line of result.error.split('\n')) io.err(line)
      })
    },
    reopenLogs: () => log.reopen(),
  })
}

function stopSentence({ connections, deliveries }: Server['atWork']): string {
  if (connections + deliveries === 0) return 'Stopping.'
  const open = connections === 1 ? '1 connection' : `${connections} connections`
  const under = deliveries === 1 ? '1 delivery' : `${deliveries} deliveries`
  return `Stopping; waiting for ${open} and ${under}, at most ${STOP_WITHIN_MS / 1_000} s; Ctrl-C again ends at once.`
}

function fail({ io }: CommandContext, sentences: readonly string[]): number {
  for (const sentence of sentences) io.err(sentence)
  return 1
}
