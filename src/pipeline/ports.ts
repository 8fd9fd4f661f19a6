import type { Clock } from '../ports/clock.ts'
import type { Directory } from '../ports/directory.ts'
import type { Log } from '../ports/log.ts'
import type { Random } from '../ports/random.ts'
import type { Intake } from '../ports/store.ts'

/** What the pipeline is told of the configuration; read anew for each message, so that a reload takes effect. */
export interface PipelineSettings {
  readonly hostname: string
  readonly maxMessageBytes: number
  /** More Received fields than this is a loop. */
  readonly maxReceived: number
  readonly testDomain?: string | undefined
  /** Canonical (`addressKey`): what trusted networks may write as sender. */
  readonly trustedFrom: readonly string[]
}

export interface PipelinePorts {
  readonly intake: Intake
  readonly directory: Directory
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly settings: () => PipelineSettings
}
