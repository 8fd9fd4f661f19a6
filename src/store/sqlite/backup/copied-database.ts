import { DatabaseSync } from 'node:sqlite'
import { bodyCrc, bodyCrcOf } from '../body-crc.ts'
import { BackupFailure } from './failure.ts'
import { databaseUrl } from './octets.ts'

/** A body whose content is a file, as its row describes it. */
export interface FileBody {
  readonly id: number
  readonly file: string
  readonly sizeBytes: number
  /** Whether a file's checksum is the one of this body. */
  isRight(crc: number): boolean
}

const BODIES = `SELECT b.id, b.crc, b.size, b.file, b.prefix, b.head, t.bytes FROM bodies b
  LEFT JOIN texts t ON t.body = b.id WHERE b.file IS NULL`
const FILES = 'SELECT id, crc, size, file, prefix FROM bodies WHERE file IS NOT NULL ORDER BY id'

/** A database that nobody writes: it is opened without locks and leaves no file beside itself. */
export class CopiedDatabase {
  readonly #db: DatabaseSync

  constructor(path: string) {
    this.#db = new DatabaseSync(databaseUrl(path, { immutable: '1' }), { readOnly: true })
  }

  /** Throws where pages or rows are damaged: such a copy is worth nothing. */
  checkPages(): void {
    const rows = this.#db.prepare('PRAGMA quick_check(1)').all()
    const found = String(Object.values(rows[0] ?? {})[0]).replaceAll('\n', ' ')
    if (found !== 'ok')
      throw new BackupFailure(
        `The database is damaged (${found}): \`hikyaku check\` tells more. Earlier backups were left as they are.`,
      )
  }

  /** In mailboxes, as a mail program counts them: one in two mailboxes twice. */
  get messages(): number {
    return Number(this.#db.prepare('SELECT count(*) AS n FROM entries').get()?.n)
  }

  /** Bodies in the database itself whose octets are not those that came in. */
  *damagedBodies(between: () => void): Generator<number> {
    for (const row of this.#db.prepare(BODIES).iterate()) {
      between()
      const [prefix, head] = [row.prefix, row.head] as Uint8Array[] as [Uint8Array, Uint8Array]
      const text = row.bytes as Uint8Array | null
      const isWhole = text !== null && prefix.length + head.length + text.length === row.size
      if (!isWhole || bodyCrcOf(prefix, head, text) !== row.crc) yield Number(row.id)
    }
  }

  *files(): Generator<FileBody> {
    for (const { id, crc, size, file, prefix } of this.#db.prepare(FILES).iterate()) {
      const front = prefix as Uint8Array
      yield {
        id: Number(id),
        file: String(file),
        sizeBytes: Number(size) - front.length,
        isRight: (found) => bodyCrc(found, front) === crc,
      }
    }
  }

  close(): void {
    this.#db.close()
  }
}
