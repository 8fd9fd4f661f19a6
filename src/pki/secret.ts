import { randomBytes } from 'node:crypto'
import type { KeyFolder } from './key-folder.ts'
import { SECRET_OCTETS } from './limits.ts'

const SECRET = 'secret'

export type ReadSecret =
  | { readonly ok: true; readonly secret: Uint8Array }
  | { readonly ok: false; readonly sentence: string }

/**
 * The secret of this installation, made at the first start: false SCRAM salts of unknown users come from it.
 * When it is lost those salts change once; passwords do not depend on it.
 */
export function installationSecret(folder: KeyFolder): ReadSecret {
  const read = folder.read(SECRET)
  if (!read.ok && !read.missing) return { ok: false, sentence: read.sentence }
  const text = read.ok ? read.text.trim() : ''
  if (/^[0-9a-f]{64}$/.test(text)) return { ok: true, secret: Buffer.from(text, 'hex') }
  const secret = randomBytes(SECRET_OCTETS)
  const written = folder.write(SECRET, `${secret.toString('hex')}\n`)
  return written.ok ? { ok: true, secret } : written
}
