import type { Progress } from './progress.ts'

export interface BackupRequest {
  /** The folder that backups stand in; made where it is missing. */
  readonly into: string
  /** Older backups of this server beyond so many are removed after this one; undefined: none. */
  readonly keep?: number | undefined
  /** The host name of the server. */
  readonly server: string
  /** Of this program. */
  readonly version: string
  readonly nowMs: number
  /** What belongs to the data but is not the store's: keys, certificates, settings. Paths within the backup. */
  readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[]
}

export interface BackupMade {
  readonly folder: string
  /** In mailboxes; one in two of them counts twice. */
  readonly messages: number
  /** Of all its files. */
  readonly sizeBytes: number
  /** Files taken over from the backup before by hard links, and their octets. */
  readonly linkedFiles: number
  readonly linkedBytes: number
  /** Messages whose octets were not right in the store already. */
  readonly damaged: readonly string[]
  /** Backups that were removed. */
  readonly removed: readonly string[]
  /** What was not done, in sentences. */
  readonly notes: readonly string[]
}

export type BackupResult =
  | { readonly ok: true; readonly made: BackupMade }
  /** A sentence for the operator; nothing is left of the backup. */
  | { readonly ok: false; readonly sentence: string }

/** Copies of the whole store, made while it is at work. */
export interface Backups {
  /** Never rejects. One at a time: a second is refused. */
  make(request: BackupRequest, progress: Progress): Promise<BackupResult>
}
