import { describeError, sqliteFault } from '../sql.ts'

/** Ends a backup or a restore with a sentence for the operator. */
export class BackupFailure extends Error {
  override readonly name = 'BackupFailure'
}

/** The operator gave up, or the store is closed. */
export class Stopped extends BackupFailure {
  constructor() {
    super('It was stopped; nothing of it is left.')
  }
}

/**
 * What went wrong as a sentence.
 * @param folder what was written to.
 */
export function failureSentence(error: unknown, folder: string): string {
  if (error instanceof BackupFailure) return error.message
  if (isFull(error))
    return `The disk that ${folder} is on is full: free some space there, or name another folder.`
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'EROFS') return `The disk that ${folder} is on is read-only.`
  if (code === 'EACCES' || code === 'EPERM')
    return `User ${String(process.getuid?.() ?? 'of the server')} may not write there: ${describeError(error)}. Give ${folder} to that user (chown), or name another folder.`
  if (sqliteFault(error) === 'corrupt')
    return `The database is damaged (${describeError(error)}): \`hikyaku check\` tells more, and \`hikyaku salvage\` takes out what can be read.`
  return `${folder} can't be used: ${describeError(error)}.`
}

function isFull(error: unknown): boolean {
  if (sqliteFault(error) === 'full') return true
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}
