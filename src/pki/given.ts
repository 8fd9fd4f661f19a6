import type { KeyObject, X509Certificate } from 'node:crypto'
import { day, missingNames, namesOf, notAfterMs, orderChain, wrongTime } from './chain.ts'
import { WARN_BEFORE_MS } from './limits.ts'
import { modeText } from './owner.ts'
import { readCertificates, readKey } from './pem.ts'
import { readText } from './read-file.ts'

/** A certificate that somebody else made: from the settings, or from `hikyaku tls install`. */

export type GivenPair =
  | {
      readonly ok: true
      readonly key: KeyObject
      /** The server's certificate first, each followed by its issuer. */
      readonly chain: readonly [X509Certificate, ...X509Certificate[]]
      /** Sentences: it works, but not for every client, or not for long. */
      readonly warnings: readonly string[]
    }
  | { readonly ok: false; readonly sentence: string }

export interface GivenFiles {
  /** The certificate and its chain; may be the file that has the key too. */
  readonly certificate: string
  readonly key: string
}

/**
 * Reads key and chain. What makes every handshake fail is refused with a sentence; an expired certificate or a
 * missing name is a warning, since servers that hand us mail by opportunistic TLS look at neither.
 */
export function readGiven(files: GivenFiles, names: readonly string[], nowMs: number): GivenPair {
  const keyText = readText(files.key)
  if (!keyText.ok) return { ok: false, sentence: `The TLS key ${keyText.sentence}` }
  const key = readKey(keyText.text)
  if (!key.ok) return { ok: false, sentence: `${files.key} ${key.problem}.` }
  const chainText = readText(files.certificate)
  if (!chainText.ok) return { ok: false, sentence: `The TLS certificate ${chainText.sentence}` }
  const read = readCertificates(chainText.text)
  if (!read.ok) return { ok: false, sentence: `${files.certificate} ${read.problem}.` }
  const [leaf, ...issuers] = orderChain(read.certificates, key.key) ?? []
  if (leaf === undefined)
    return {
      ok: false,
      sentence:
        `The key in ${files.key} does not belong to any certificate in ${files.certificate}; ` +
        'give the two that were made together.',
    }
  const warnings = [
    ...certificateWarnings(files.certificate, leaf, names, nowMs),
    ...keyWarnings(files.key, keyText.mode),
  ]
  return { ok: true, key: key.key, chain: [leaf, ...issuers], warnings }
}

function certificateWarnings(
  file: string,
  leaf: X509Certificate,
  names: readonly string[],
  nowMs: number,
): string[] {
  const warnings: string[] = []
  const time = wrongTime(leaf, nowMs)
  if (time !== undefined)
    warnings.push(`The certificate in ${file} ${time}: clients refuse it; put a new one in its place.`)
  else if (notAfterMs(leaf) < nowMs + WARN_BEFORE_MS)
    warnings.push(`The certificate in ${file} expires on ${day(notAfterMs(leaf))}; get a new one now.`)
  const missing = missingNames(leaf, names)
  if (missing.length > 0)
    warnings.push(
      `The certificate in ${file} does not have the name ${missing.join(', ')}, only ${namesOf(leaf).join(', ') || 'none'}: ` +
        'clients that connect by it refuse the certificate.',
    )
  return warnings
}

function keyWarnings(file: string, mode: number): string[] {
  if ((mode & 0o007) === 0) return []
  return [
    `The key ${file} has mode ${modeText(mode)}: every user of this machine can read it; run "chmod o= ${file}".`,
  ]
}
