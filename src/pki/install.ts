import type { KeyObject, X509Certificate } from 'node:crypto'
import { INSTALLED } from './certificate.ts'
import { missingNames, namesOf, notAfterMs, orderChain, wrongTime } from './chain.ts'
import { REQUEST } from './csr.ts'
import { KeyFolder } from './key-folder.ts'
import { checkNames } from './names.ts'
import { exportKey, readCertificates, readKey } from './pem.ts'

/** `hikyaku tls install`: takes the CA's answer to `hikyaku tls csr`. */

export type Installed =
  | {
      readonly ok: true
      readonly names: readonly string[]
      readonly notAfterMs: number
      /** Certificates in the chain. */
      readonly chainLength: number
      readonly notes: readonly string[]
    }
  | { readonly ok: false; readonly sentence: string }

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'

/**
 * Checks the chain against the key of the request and the configured names and puts it in force from the next
 * reload on. Nothing is written unless all is right. The key is that of the open request or, where a CA sends
 * another chain for it later, that of the certificate in force.
 * @param how.chain the text of the CA's file: the certificate and its issuers, in any order.
 */
export function installChain(
  folderPath: string,
  how: { readonly chain: string; readonly names: readonly string[]; readonly nowMs: number },
): Installed {
  const checked = checkNames(how.names)
  if (!checked.ok) return checked
  const opened = KeyFolder.open(folderPath)
  if (!opened.ok) return opened
  const { folder } = opened
  const read = readCertificates(how.chain)
  if (!read.ok) return { ok: false, sentence: `The file ${read.problem}.` }
  const keys = knownKeys(folder)
  if (!keys.ok) return keys
  const found = matching(read.certificates, keys.keys)
  if (found === undefined)
    return {
      ok: false,
      sentence:
        'None of the certificates is for the key of our request; the CA answered another one. ' +
        'Make a new request with "hikyaku tls csr" and have that one signed.',
    }
  const { key, chain } = found
  const [leaf] = chain
  const wrong = unfit(leaf, checked.names, how.nowMs)
  if (wrong !== undefined) return { ok: false, sentence: wrong }
  const text = exportKey(key) + chain.map((one) => one.toString()).join('')
  const written = folder.write(INSTALLED, text)
  if (!written.ok) return written
  folder.remove(REQUEST)
  const notes = chainNotes(read.certificates, chain)
  return { ok: true, names: namesOf(leaf), notAfterMs: notAfterMs(leaf), chainLength: chain.length, notes }
}

type Chain = readonly [X509Certificate, ...X509Certificate[]]

function knownKeys(
  folder: KeyFolder,
):
  | { readonly ok: true; readonly keys: readonly KeyObject[] }
  | { readonly ok: false; readonly sentence: string } {
  const keys: KeyObject[] = []
  for (const name of [REQUEST, INSTALLED]) {
    const text = folder.read(name)
    if (!text.ok && !text.missing) return { ok: false, sentence: text.sentence }
    const key = text.ok ? readKey(text.text) : undefined
    if (key?.ok === false) return { ok: false, sentence: `${folder.file(name)} ${key.problem}.` }
    if (key !== undefined) keys.push(key.key)
  }
  if (keys.length > 0) return { ok: true, keys }
  return { ok: false, sentence: 'No request is open; make one with "hikyaku tls csr" and have it signed.' }
}

function matching(
  certificates: readonly X509Certificate[],
  keys: readonly KeyObject[],
): { readonly key: KeyObject; readonly chain: Chain } | undefined {
  for (const key of keys) {
    const [leaf, ...issuers] = orderChain(certificates, key) ?? []
    if (leaf !== undefined) return { key, chain: [leaf, ...issuers] }
  }
  return undefined
}

function unfit(leaf: X509Certificate, names: readonly string[], nowMs: number): string | undefined {
  if (leaf.ca)
    return 'The certificate of our key is one of a CA, not of a server; ask for a server certificate.'
  const time = wrongTime(leaf, nowMs)
  if (time !== undefined) return `The certificate ${time}.`
  const missing = missingNames(leaf, names)
  if (missing.length > 0)
    return `The certificate does not have the name ${missing.join(', ')}, only ${namesOf(leaf).join(', ') || 'none'}; have the request signed with all its names.`
  const purposes = leaf.keyUsage as readonly string[] | undefined
  if (purposes !== undefined && !purposes.includes(SERVER_AUTH))
    return 'The certificate is not for servers (no serverAuth in its extended key usage); ask for a server certificate.'
  return undefined
}

function chainNotes(given: readonly X509Certificate[], chain: Chain): string[] {
  const left = given.length - chain.length
  const notes =
    left > 0 ? [`${left} certificates of the file do not belong to the chain and were left out.`] : []
  const last = chain.at(-1) as X509Certificate
  if (chain.length === 1 && last.subject !== last.issuer)
    notes.push(
      `The file has no certificate of the issuer (${last.issuer.replaceAll('\n', ', ')}): ` +
        'clients that do not know it themselves refuse ours; add it where there is an intermediate CA.',
    )
  return notes
}
