import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { checkServerIdentity, connect, type PeerCertificate } from 'node:tls'
import type { TlsFacts } from '../mail/tls-facts.ts'
import { errorCode, errorText } from './socket-events.ts'
import type { ServerTls } from './tls.ts'
import { acceptTls } from './tls-accept.ts'

export type TlsProof =
  | {
      readonly ok: true
      readonly facts: TlsFacts
      /** Days until the certificate ends. */
      readonly daysLeft: number
    }
  /** What a client would stumble over, and what to do. */
  | { readonly ok: false; readonly sentence: string }

/**
 * Shakes hands with ourselves in memory, once for each name, as a client would: chain, name and dates are
 * checked. So a port that can't work says so at start, not to the first phone.
 * @param caPem what clients trust; undefined asks only that names and dates are right (a CA we don't know).
 */
export async function proveTls(
  tls: ServerTls,
  names: readonly [string, ...string[]],
  caPem: string | undefined,
): Promise<TlsProof> {
  let last: TlsProof | undefined
  for (const name of names) {
    last = await proveName(tls, name, caPem)
    if (!last.ok) return last
  }
  return last as TlsProof
}

async function proveName(tls: ServerTls, name: string, caPem: string | undefined): Promise<TlsProof> {
  const [ours, theirs] = duplexPair()
  const server = acceptTls(ours as Socket, tls, 'proof')
  const client = connect({
    socket: theirs,
    host: name,
    ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
    ...(caPem === undefined ? {} : { ca: caPem }),
    rejectUnauthorized: caPem !== undefined,
    checkServerIdentity: () => undefined,
  })
  try {
    const failure = await new Promise<Error | undefined>((resolve) => {
      client.once('secureConnect', () => resolve(undefined))
      client.once('error', resolve)
      client.once('close', () => resolve(new Error('the handshake was cut off')))
    })
    if (failure !== undefined) return { ok: false, sentence: proofSentence(name, failure) }
    const accepted = await server.done
    if (!accepted.ok) return { ok: false, sentence: proofSentence(name, new Error(accepted.cause)) }
    return judge(name, client.getPeerCertificate(), accepted.facts)
  } finally {
    client.destroy()
    server.socket.destroy()
  }
}

function judge(name: string, certificate: PeerCertificate, facts: TlsFacts): TlsProof {
  const mismatch = checkServerIdentity(name, certificate)
  if (mismatch !== undefined)
    return {
      ok: false,
      sentence: `The certificate is not for ${name} (it is for ${certificate.subjectaltname ?? 'no name'}); clients will refuse it. Make or install one with this name.`,
    }
  const daysLeft = (Date.parse(certificate.valid_to) - Date.now()) / 86_400_000
  if (daysLeft < 0)
    return {
      ok: false,
      sentence: proofSentence(name, Object.assign(new Error(), { code: 'CERT_HAS_EXPIRED' })),
    }
  return { ok: true, facts, daysLeft: Math.floor(daysLeft) }
}

const SENTENCES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired; renew it',
  CERT_NOT_YET_VALID: "it is not valid yet; check this machine's clock",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'a certificate between it and its CA is missing; install the full chain',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'it was not made by the CA that clients trust; install the pair that belongs together',
  SELF_SIGNED_CERT_IN_CHAIN: 'its CA is not the one that clients trust; give them the right CA certificate',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself; clients will not trust it',
  CERT_SIGNATURE_FAILURE: 'its signature does not fit its CA; install the pair that belongs together',
}

function proofSentence(name: string, error: Error): string {
  const known = SENTENCES[errorCode(error) ?? '']
  return `TLS for ${name} does not work: ${known === undefined ? errorText(error) : `the certificate can't be used: ${known}`}.`
}
