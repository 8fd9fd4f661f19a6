import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { rootCertificates } from 'node:tls'
import type { Config } from '../config/settings.ts'
import { FailureBudget } from '../filters/budget.ts'
import { parseNetwork } from '../mail/ip.ts'
import { DkimKeys } from '../pki/dkim-keys.ts'
import { KeyFolder } from '../pki/key-folder.ts'
import { readCertificates } from '../pki/pem.ts'
import { installationSecret } from '../pki/secret.ts'
import { systemClock } from '../platform/clock.ts'
import { ConnectionCaps } from '../platform/connection-caps.ts'
import { Deadlines } from '../platform/deadlines.ts'
import { connectionsWithin, descriptorLimit } from '../platform/descriptors.ts'
import { makeDialer } from '../platform/dialer.ts'
import { LISTEN_LIMITS, MEMORY_LIMITS } from '../platform/limits.ts'
import { MemoryBudget } from '../platform/memory-budget.ts'
import { systemRandom } from '../platform/random.ts'
import { type DnsServer, systemDnsServers } from '../platform/resolv-conf.ts'
import { CachingResolver } from '../platform/resolver.ts'
import { Turns } from '../platform/turns.ts'
import type { Clock } from '../ports/clock.ts'
import type { Hasher } from '../ports/credentials.ts'
import type { Log } from '../ports/log.ts'
import { QueueRunner } from '../queue/runner.ts'
import { Authenticator } from '../session/auth/authenticator.ts'
import { SmtpDeliverer } from '../session/smtp/outbound.ts'
import { openStore, type Store } from '../store/sqlite/open.ts'
import type { ThreadDns } from './auth/thread.ts'
import { ThreadedMailAuth } from './auth/threaded-mail-auth.ts'
import type { OperationPorts } from './operations/operation.ts'
import { ReportService } from './reports/report-service.ts'
import { SelfTestDns } from './selftest/dns.ts'
import { SelfTests } from './selftest/self-tests.ts'
import { keyFolderPath } from './server/certificates.ts'
import { directorySettings, dkimDomains, queueSettings } from './settings.ts'

/* The only place that constructs things. */

/** The configuration in force; a reload puts another in its place. */
export interface Current {
  config: Config
  /** Where the configuration was read from. */
  readonly configFile?: string | undefined
  /** Of the smarthost, read when the configuration was. */
  smarthostPassword: string | undefined
}

export type Wired<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly sentence: string }

/** The data of one folder with what every command and the server need around it. */
export interface House {
  readonly store: Store
  readonly ports: OperationPorts
  readonly resolver: CachingResolver
  readonly reports: ReportService
  readonly selfTests: SelfTests
  /** Waits for messages that are being authenticated. */
  close(): Promise<void>
}

/** Opens the data folder, for the server and for a command that runs without one. */
export async function openHouse(
  current: Current,
  parts: { readonly log: Log; readonly hasher: Hasher; onFault(cause: string): void },
): Promise<Wired<House>> {
  const { log, hasher } = parts
  const { config } = current
  const opened = await openStore({
    folder: config.server.data,
    directory: directorySettings(config),
    retention: retention(config),
    now: () => Date.now(),
    onFault: parts.onFault,
    onNote: (note) => log.event('store.note', { note }),
    onDamage: (damage) => log.event('message.damaged', { ...damage, todo: DAMAGE_ADVICE }),
    onHealth: (trouble, cause) =>
      log.event(cause === undefined ? 'store.taking' : 'store.refusing', { trouble, cause }),
  })
  if (!opened.ok) {
    const { path, problem, fix } = opened.error
    return { ok: false, sentence: `${path}: ${problem}. To mend it: ${fix}.` }
  }
  const { store } = opened
  const keys = openKeys(config)
  if (!keys.ok) {
    await store.close()
    return keys
  }
  const { accounts, mailboxes, intake, traces, queue, directory, backups, quarantine, trust, reports } = store
  const clock = systemClock()
  const random = systemRandom()
  const resolver = makeResolver(config, { clock, random })
  const selfTests = new SelfTests()
  const mailAuth = makeMailAuth(new SelfTestDns(resolver, selfTests), clock)
  const ports: OperationPorts = {
    ...{ accounts, mailboxes, intake, traces, queue, directory, backups, quarantine, trust, reports },
    mailAuth,
    dkim: new DkimKeys({ folder: keys.value.folder, clock, log, domains: () => dkimDomains(current.config) }),
    resolver,
    hasher,
    random,
    clock,
    log,
    installationSecret: keys.value.secret,
    config: () => current.config,
    configFile: current.configFile,
  }
  const service = new ReportService({ ...ports, config: () => current.config })
  const close = async () => {
    await service.close()
    await mailAuth.close()
    await store.close()
  }
  return { ok: true, value: { store, ports, resolver, reports: service, selfTests, close } }
}

function openKeys(config: Config): Wired<{ readonly folder: KeyFolder; readonly secret: Uint8Array }> {
  const opened = KeyFolder.open(keyFolderPath(config))
  if (!opened.ok) return opened
  const { folder } = opened
  const secret = installationSecret(folder)
  return secret.ok ? { ok: true, value: { folder, secret: secret.secret } } : secret
}

/** No thread runs before the first message. */
export function makeMailAuth(dns: ThreadDns, clock: Clock): ThreadedMailAuth {
  return new ThreadedMailAuth({ dns, nowMs: () => clock.monotonic() })
}

const DAMAGE_ADVICE =
  'run `hikyaku check`; restore a backup, or stop the server and take out what is readable with `hikyaku salvage`'

export function retention(config: Config) {
  return { traceMaxAgeMs: config.traces.keep, traceMaxBytes: config.traces.max_size }
}

export function makeAuthenticator(ports: OperationPorts): Authenticator {
  const { accounts, hasher, clock, random, installationSecret: secret } = ports
  return new Authenticator({
    accounts,
    hasher,
    budget: new FailureBudget(clock),
    clock,
    random,
    installationSecret: secret,
    settings: () => ({
      plainTextOnLoopback: ports.config().auth.plain_text_on_loopback,
      scramSha1: ports.config().auth.scram_sha_1,
    }),
  })
}

export function makeResolver(
  config: Config,
  { clock, random }: Pick<OperationPorts, 'clock' | 'random'>,
): CachingResolver {
  return new CachingResolver({ servers: dnsServers(config), clock, random, tryMs: config.dns.timeout })
}

/** After a reload; what is remembered stays where the settings did. */
export function changeResolver(
  resolver: Pick<CachingResolver, 'useServers'>,
  before: Config,
  after: Config,
): void {
  // Those of /etc/resolv.conf may have changed without a setting that did.
  const [old, now] = [before, after].map((config) => JSON.stringify(config.dns))
  if (old !== now || after.dns.servers.length === 0) resolver.useServers(dnsServers(after), after.dns.timeout)
}

export interface RunnerParts {
  readonly resolver: CachingResolver
  /** PEM of those that are trusted for other servers; undefined: Node's own list alone. */
  readonly trustedCas: readonly string[] | undefined
  readonly believedNow: () => number
  /** Where our own MX port is, for the test domain. */
  readonly ownMx: { readonly address: string; readonly port: number } | undefined
}

export function makeRunner(current: Current, ports: OperationPorts, parts: RunnerParts): QueueRunner {
  const { queue, intake, directory, clock, random, log } = ports
  const { believedNow, resolver, ownMx } = parts
  const deliverer = new SmtpDeliverer({
    dialer: makeDialer({ caPem: parts.trustedCas }),
    clock,
    random,
    heloName: () => current.config.server.hostname,
  })
  const settings = () => queueSettings(current.config, ownMx, current.smarthostPassword)
  return new QueueRunner({
    queue,
    intake,
    directory,
    clock,
    random,
    log,
    resolver,
    deliverer,
    settings,
    believedNow,
  })
}

export function makeServeEnv(config: Config, log: Log) {
  const clock = systemClock()
  return {
    caps: new ConnectionCaps(capSettings(config)),
    deadlines: new Deadlines(clock),
    memory: makeMemoryBudget(() => clock.monotonic(), log),
    turns: new Turns(),
    log,
  }
}

/** The bounds of `MEMORY_LIMITS`, smaller on a small machine. What is shed is told, not more often than every some seconds. */
function makeMemoryBudget(nowMs: () => number, log: Log): MemoryBudget {
  const { strangersBytes, membersBytes, operatorsBytes, ofMachine } = MEMORY_LIMITS
  // 0 or absurdly large where no limit is set for the process.
  const limit = process.constrainedMemory()
  const machine = limit > 0 && limit < totalmem() ? limit : totalmem()
  const scale = Math.min(1, (machine * ofMachine) / (strangersBytes + membersBytes))
  let toldMs = Number.NEGATIVE_INFINITY
  let [times, octets] = [0, 0]
  return new MemoryBudget({
    limits: {
      strangers: strangersBytes * scale,
      members: membersBytes * scale,
      operators: operatorsBytes,
    },
    nowMs,
    onShed(owner, sizeBytes) {
      times++
      octets += sizeBytes
      if (nowMs() - toldMs < LISTEN_LIMITS.acceptErrorEveryMs) return
      toldMs = nowMs()
      log.event('load.shed', { class: owner.class, who: owner.key || 'this machine', times, octets })
      times = 0
      octets = 0
    },
  })
}

export function capSettings(config: Config) {
  const { max_connections, max_connections_per_client, proxy_from } = config.listen
  // Loopback is our own machine: a web mail or a proxy there has many users.
  const loopback = ['127.0.0.0/8', '::1'].map(parseNetwork).filter((network) => network !== undefined)
  return {
    total: connectionsWithin(max_connections, descriptorLimit()),
    perClient: max_connections_per_client,
    exempt: [...loopback, ...proxy_from],
  }
}

function dnsServers(config: Config): readonly [DnsServer, ...DnsServer[]] {
  const named = config.dns.servers.map((at) => ({ ...at, validates: false }))
  const [first, ...rest] = named.length > 0 ? named : systemDnsServers()
  return first === undefined ? [{ address: '127.0.0.1', port: 53, validates: true }] : [first, ...rest]
}

/** Of `outbound.smarthost_ca`, beside Node's own list; undefined: Node's own list alone. */
export function readTrustedCas(config: Config): Wired<readonly string[] | undefined> {
  const file = config.outbound.smarthost_ca
  if (file === undefined) return { ok: true, value: undefined }
  try {
    const pem = readFileSync(file, 'utf8')
    const read = readCertificates(pem)
    return read.ok
      ? { ok: true, value: [...rootCertificates, pem] }
      : { ok: false, sentence: `${file} ${read.problem}; see outbound.smarthost_ca.` }
  } catch (error) {
    return {
      ok: false,
      sentence: `The CA certificate of the smarthost cannot be read from ${file} (${(error as NodeJS.ErrnoException).code}); see outbound.smarthost_ca.`,
    }
  }
}

/** The first line of the file that the settings name. */
export function readSmarthostPassword(config: Config): Wired<string | undefined> {
  const file = config.outbound.smarthost_password_file
  if (file === undefined) return { ok: true, value: undefined }
  try {
    const password = readFileSync(file, 'utf8').split(/\r?\n/)[0] ?? ''
    return password === ''
      ? {
          ok: false,
          sentence: `${file} is empty; its first line must be the password at the smarthost (outbound.smarthost_password_file).`,
        }
      : { ok: true, value: password }
  } catch (error) {
    return {
      ok: false,
      sentence: `The password of the smarthost cannot be read from ${file} (${(error as NodeJS.ErrnoException).code}); see outbound.smarthost_password_file.`,
    }
  }
}
