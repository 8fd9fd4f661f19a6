import { createPublicKey } from 'node:crypto'
import { KeyFolder } from './key-folder.ts'
import { checkNames } from './names.ts'
import { newKeyPair } from './own.ts'
import { exportKey, readKey } from './pem.ts'
import { makeRequest, subjectOf } from './x509.ts'

/** `hikyaku tls csr`: a request for a CA on another machine. */

export const REQUEST = 'request.pem'

export type MadeRequest =
  | {
      readonly ok: true
      /** The request, to be sent to the CA. */
      readonly pem: string
      readonly names: readonly string[]
      /** Where its key is; it stays here. */
      readonly keyFile: string
      /** Whether the key of an earlier request that was not answered yet was used again. */
      readonly sameKey: boolean
    }
  | { readonly ok: false; readonly sentence: string }

/**
 * Makes a key, or takes that of a request under way, so that an answer to either request can be installed.
 * @param how.newKey makes another key in any case; an answer to an earlier request is then worthless.
 */
export function certificateRequest(
  folderPath: string,
  how: { readonly names: readonly string[]; readonly newKey?: boolean },
): MadeRequest {
  const checked = checkNames(how.names)
  if (!checked.ok) return checked
  const opened = KeyFolder.open(folderPath)
  if (!opened.ok) return opened
  const { folder } = opened
  const before = how.newKey === true ? undefined : folder.read(REQUEST)
  if (before?.ok === false && !before.missing) return { ok: false, sentence: before.sentence }
  const kept = before?.ok === true ? readKey(before.text) : undefined
  const sameKey = kept?.ok === true
  const privateKey = kept?.ok === true ? kept.key : newKeyPair().privateKey
  const { names } = checked
  const publicKey = createPublicKey(privateKey)
  const pem = makeRequest({ subject: subjectOf(names), names, publicKey, privateKey })
  const written = folder.write(REQUEST, exportKey(privateKey) + pem)
  return written.ok ? { ok: true, pem, names, keyFile: folder.file(REQUEST), sameKey } : written
}
