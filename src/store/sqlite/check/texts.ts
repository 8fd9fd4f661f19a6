import type { Cell } from './check-database.ts'

/* Columns that hold a text of a form: whether what wrote it could have written this. Each takes anything. */

/** undefined where it is no JSON. */
export function jsonOf(cell: Cell | undefined): unknown {
  if (typeof cell !== 'string') return undefined
  try {
    return JSON.parse(cell) as unknown
  } catch {
    // That it cannot be read is the answer.
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const PHC = /^\$argon2id\$v=19\$m=\d{1,7},t=\d{1,3},p=\d{1,3}\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/

export function isArgon2id(cell: Cell | undefined): boolean {
  return typeof cell === 'string' && PHC.test(cell)
}

/** Octets of StoredKey and ServerKey (rfc5802 §3). */
const KEY_OCTETS: Readonly<Record<string, number>> = { 'SHA-1': 20, 'SHA-256': 32 }

/** As `packScram` writes it. */
export function isScram(cell: Cell | undefined): boolean {
  if (cell === null) return true
  const rows = jsonOf(cell)
  return Array.isArray(rows) && rows.every(isScramRow)
}

function isScramRow(row: unknown): boolean {
  if (!Array.isArray(row) || row.length !== 5) return false
  const [hash, salt, iterations, storedKey, serverKey] = row as unknown[]
  const octets = typeof hash === 'string' ? KEY_OCTETS[hash] : undefined
  if (octets === undefined || !Number.isSafeInteger(iterations) || (iterations as number) < 1) return false
  return octetsOf(salt) > 0 && octetsOf(storedKey) === octets && octetsOf(serverKey) === octets
}

/** -1 where it is no base64. */
function octetsOf(base64: unknown): number {
  if (typeof base64 !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return -1
  return Buffer.from(base64, 'base64').length
}

/** `["local","domain"]`. */
export function isAddressPair(cell: Cell | undefined): boolean {
  return isPair(jsonOf(cell))
}

function isPair(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((half) => typeof half === 'string' && half !== '')
  )
}

/** `EnvelopeSender` of mail/envelope. */
export function isSender(cell: Cell | undefined): boolean {
  const sender = jsonOf(cell)
  if (!isObject(sender)) return false
  const { bodyType, reversePath, smtputf8 } = sender
  const isPath =
    reversePath === null || (isObject(reversePath) && isPair([reversePath.local, reversePath.domain]))
  return isPath && (bodyType === '7BIT' || bodyType === '8BITMIME') && typeof smtputf8 === 'boolean'
}

export function isDetail(cell: Cell | undefined): boolean {
  return isObject(jsonOf(cell))
}
