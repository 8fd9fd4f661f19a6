import type { Config } from '../../config/settings.ts'
import type { QueueId } from '../../mail/ids.ts'
import { formatLocalTime } from '../../mail/local-time.ts'
import type { DkimKeys } from '../../pki/dkim-keys.ts'
import type { AccountStore } from '../../ports/accounts.ts'
import type { Backups } from '../../ports/backups.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Hasher } from '../../ports/credentials.ts'
import type { Directory } from '../../ports/directory.ts'
import type { Log } from '../../ports/log.ts'
import type { MailAuth } from '../../ports/mail-auth.ts'
import type { Mailboxes } from '../../ports/mailboxes.ts'
import type { Progress } from '../../ports/progress.ts'
import type { Quarantine } from '../../ports/quarantine.ts'
import type { QueueStore } from '../../ports/queue.ts'
import type { Random } from '../../ports/random.ts'
import type { ReportStore } from '../../ports/reports.ts'
import type { Resolver } from '../../ports/resolver.ts'
import type { Intake, Traces } from '../../ports/store.ts'
import type { TrustList } from '../../ports/trust.ts'
import type { SelfTests } from '../selftest/self-tests.ts'

/**
 * What an operator's command does to the data. The same functions run in the server, asked over its control
 * socket, and in the command itself, when no server runs.
 */
export type Operation = (
  ports: OperationPorts,
  args: OperationArgs,
  progress: Progress,
) => Promise<OperationResult>

export interface OperationPorts {
  readonly accounts: AccountStore
  readonly mailboxes: Mailboxes
  readonly intake: Intake
  readonly traces: Traces
  readonly queue: QueueStore
  readonly reports: ReportStore
  readonly directory: Directory
  readonly backups: Backups
  readonly quarantine: Quarantine
  readonly trust: TrustList
  readonly mailAuth: MailAuth
  readonly dkim: Pick<DkimKeys, keyof DkimKeys>
  readonly resolver: Resolver
  readonly hasher: Hasher
  readonly random: Random
  readonly clock: Clock
  readonly log: Log
  readonly installationSecret: Uint8Array
  readonly config: () => Config
  /** Where it was read from; undefined where it is no file. */
  readonly configFile?: string | undefined
  /** Of the running server; undefined in a command that works without one: then nothing is tried before a start. */
  readonly runner?: { isTrying(id: QueueId): boolean } | undefined
  /** Of the running server. */
  readonly selfTest?: SelfTestPorts | undefined
}

export interface SelfTestPorts {
  readonly tests: SelfTests
  /** Where the server's own port for mail from other servers is reached from this machine; undefined where it has none. */
  readonly door?: { readonly address: string; readonly port: number } | undefined
}

/** As they come over the control socket: nothing about them is taken for granted. */
export type OperationArgs = Readonly<Record<string, unknown>>

export type OperationResult =
  /** `exitCode` of a command that tells by it what it found; without it 0. */
  | { readonly ok: true; readonly lines: readonly string[]; readonly exitCode?: number }
  /** A sentence for the operator: what is wrong and what to do. */
  | { readonly ok: false; readonly error: string }

export const said = (...lines: readonly string[]): OperationResult => ({ ok: true, lines })
export const refused = (error: string): OperationResult => ({ ok: false, error })

/** For callers with nobody who watches. */
export const unwatched = (): Progress => ({
  line: () => Promise.resolve(true),
  signal: new AbortController().signal,
})

/** A text argument; undefined where it is missing. */
export function textArg(args: OperationArgs, name: string): string | undefined {
  const value = args[name]
  return typeof value === 'string' ? value : undefined
}

export function textList(args: OperationArgs, name: string): readonly string[] {
  const value = args[name]
  return Array.isArray(value) ? value.filter((element) => typeof element === 'string') : []
}

/** A moment for a person: local time with its zone. */
export function timeText({ clock }: OperationPorts, atMs: number): string {
  return formatLocalTime(atMs, clock.zoneMinutes(atMs))
}
