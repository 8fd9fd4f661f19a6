import type { Clock } from '../ports/clock.ts'
import type { Directory } from '../ports/directory.ts'
import type { Log } from '../ports/log.ts'
import type { MailAuth, SigningKeys } from '../ports/mail-auth.ts'
import type { Random } from '../ports/random.ts'
import type { ReportTally } from '../ports/reports.ts'
import type { Intake } from '../ports/store.ts'
import type { TrustList } from '../ports/trust.ts'
import type { PolicySettings } from './policy/settings.ts'
import type { ReportReceiver } from './reports/receiver.ts'

/** What the pipeline is told of the configuration; read anew for each message, so that a reload takes effect. */
export interface PipelineSettings {
  readonly hostname: string
  readonly maxMessageBytes: number
  /** More Received fields than this is a loop. */
  readonly maxReceived: number
  readonly testDomain?: string | undefined
  /** Canonical (`addressKey`): what trusted networks may write as sender. */
  readonly trustedFrom: readonly string[]
  readonly policy: PolicySettings
  /** Our domains whose held mail goes to Junk instead of the quarantine; canonical. */
  readonly junkDomains: readonly string[]
  /** How long the quarantine keeps a message. */
  readonly holdMs: number
}

export interface PipelinePorts {
  readonly intake: Intake
  readonly directory: Directory
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly mailAuth: MailAuth
  /** Exceptions from the DMARC policy. */
  readonly trust: TrustList
  readonly signingKeys: SigningKeys
  /** What is judged is counted there for DMARC reports. */
  readonly tally?: ReportTally | undefined
  /** Reads the reports that delivered mail carries. */
  readonly reportReader?: Pick<ReportReceiver, 'prepare'> | undefined
  readonly settings: () => PipelineSettings
}
