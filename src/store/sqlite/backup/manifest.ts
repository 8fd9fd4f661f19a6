import { hash } from 'node:crypto'

/** One file of a backup: its path within it, with `/`, and what it must hold. */
export interface BackupFile {
  readonly path: string
  readonly sizeBytes: number
  /** In hexadecimal. */
  readonly sha256: string
}

/** What a backup says of itself. */
export interface BackupInfo {
  /** Of the program that made it. */
  readonly version: string
  /** Of the database. */
  readonly schema: number
  /** The host name of the server: backups of different servers may lie side by side. */
  readonly server: string
  readonly createdMs: number
  readonly messages: number
  /** Messages whose octets were not right in the store already; they are in the backup as they were. */
  readonly damaged: readonly string[]
}

export interface Manifest {
  readonly info: BackupInfo
  readonly files: readonly BackupFile[]
}

export type ReadManifest =
  | { readonly ok: true; readonly manifest: Manifest }
  /** A part of a sentence. */
  | { readonly ok: false; readonly problem: string }

export const MANIFEST_NAME = 'manifest'
const BACKUP_FORMAT = 1

const FIRST = 'hikyaku backup '
/** Paths that we write: nothing that leads out of the folder, nothing hidden, nothing that breaks a line. */
const NAME = String.raw`[^./\\\p{C}\p{Zl}\p{Zp}][^/\\\p{C}\p{Zl}\p{Zp}]*`
const PATH = new RegExp(`^(?:${NAME}/)*${NAME}$`, 'u')
const FILE_LINE = /^([0-9a-f]{64}) (\d{1,15}) (.+)$/

/**
 * The manifest as text: what it is, JSON about the whole, a line for each file as `sha256 size path`, and at the end
 * the SHA-256 of all lines before, so that neither half a manifest nor a damaged one is taken for a whole one.
 */
export function formatManifest({ info, files }: Manifest): string {
  const lines = files.map(({ path, sizeBytes, sha256 }) => `${sha256} ${sizeBytes} ${path}`)
  const text = [`${FIRST}${BACKUP_FORMAT}`, JSON.stringify(info), ...lines, ''].join('\n')
  return `${text}end ${hash('sha256', text)}\n`
}

/** Whether a path is one that a backup may name. */
export function isBackupPath(path: string): boolean {
  return path.length <= 500 && PATH.test(path)
}

/** Reads what `formatManifest` wrote. */
export function parseManifest(text: string): ReadManifest {
  if (!text.startsWith(FIRST)) return wrong('it is no manifest of a backup')
  const format = text.slice(FIRST.length, text.indexOf('\n'))
  if (format !== String(BACKUP_FORMAT))
    return wrong(
      `the backup has format ${format.slice(0, 20)}, and this program knows format ${BACKUP_FORMAT}`,
    )
  const end = text.lastIndexOf('\nend ') + 1
  const body = text.slice(0, end)
  if (end === 0 || text.slice(end) !== `end ${hash('sha256', body)}\n`)
    return wrong('it is damaged, or was not written to its end')
  const [, head = '', ...lines] = body.split('\n')
  const info = parseInfo(head)
  if (info === undefined) return wrong('it does not say what the backup is')
  const files: BackupFile[] = []
  for (const line of lines.slice(0, -1)) {
    const [, sha256 = '', size = '', path = ''] = FILE_LINE.exec(line) ?? []
    if (!isBackupPath(path))
      return wrong(`it names a file that no backup has: ${JSON.stringify(line.slice(0, 200))}`)
    files.push({ path, sizeBytes: Number(size), sha256 })
  }
  return { ok: true, manifest: { info, files } }
}

/** Only what the backup says of itself, from the beginning of a manifest; the rest is not looked at. */
export function parseManifestHead(text: string): BackupInfo | undefined {
  const [first, head = ''] = text.split('\n', 2)
  return first === `${FIRST}${BACKUP_FORMAT}` ? parseInfo(head) : undefined
}

function parseInfo(json: string): BackupInfo | undefined {
  let value: Record<string, unknown>
  try {
    value = Object(JSON.parse(json))
  } catch {
    // No JSON: no manifest of ours.
    return undefined
  }
  const { version, schema, server, createdMs, messages, damaged } = value
  if (typeof version !== 'string' || typeof server !== 'string') return undefined
  if (![schema, createdMs, messages].every((number) => Number.isSafeInteger(number))) return undefined
  if (!Array.isArray(damaged) || !damaged.every((one) => typeof one === 'string')) return undefined
  const numbers = { schema: Number(schema), createdMs: Number(createdMs), messages: Number(messages) }
  return { version, server, ...numbers, damaged }
}

function wrong(problem: string): ReadManifest {
  return { ok: false, problem }
}
