// Certificates for the peers, made by openssl, not by our own pki: a fault of ours must not agree with itself.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runWell } from './run.ts'

export interface PeerCertificate {
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
}

const days = '30'
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc']

/** An own CA and a certificate of it for these names (the first is the subject), written into `folder`. */
export async function peerCertificate(folder: string, names: readonly string[]): Promise<PeerCertificate> {
  const caFile = join(folder, 'peer-ca.pem')
  const caKey = join(folder, 'peer-ca.key')
  const certFile = join(folder, 'peer.pem')
  const keyFile = join(folder, 'peer.key')
  const request = join(folder, 'peer.csr')
  const extensions = join(folder, 'peer.ext')
  await runWell('openssl', [
    ...['req', '-x509', ...newKey, '-keyout', caKey, '-out', caFile, '-days', days, '-subj', '/CN=Peer CA'],
    ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ])
  await runWell('openssl', [
    'req',
    ...newKey,
    '-keyout',
    keyFile,
    '-out',
    request,
    '-subj',
    `/CN=${names[0]}`,
  ])
  const kinds = names.map((name) => (/^[\d.]+$|:/.test(name) ? `IP:${name}` : `DNS:${name}`))
  writeFileSync(extensions, `subjectAltName=${kinds.join(',')}\nextendedKeyUsage=serverAuth,clientAuth\n`)
  await runWell('openssl', [
    ...['x509', '-req', '-in', request, '-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', days],
    ...['-extfile', extensions, '-out', certFile],
  ])
  return { caFile, certFile, keyFile }
}
