import type { BackupMade, BackupRequest } from '../../../ports/backups.ts'

/** What the backup's thread is started with. */
export interface BackupData extends BackupRequest {
  /** The store's paths. */
  readonly database: string
  readonly bodies: string
  /** One octet; not 0: stop. */
  readonly stop: SharedArrayBuffer
}

export type FromBackup =
  /** The database is copied; the body files that it names are next. */
  | { readonly kind: 'copied' }
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'made'; readonly made: BackupMade }
  | { readonly kind: 'failed'; readonly sentence: string }
