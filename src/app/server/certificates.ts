import { join } from 'node:path'
import type { Config } from '../../config/settings.ts'
import type { CertificateOptions, TlsCertificate } from '../../pki/certificate.ts'
import type { TlsMaterial } from '../../platform/tls.ts'

/** Of a data folder: where our own keys are. */
export const keyFolderPath = (config: Config): string => join(config.server.data, 'tls')

export function caFilePath(config: Config): string {
  return config.tls.ca_file ?? join(config.server.data, 'ca.pem')
}

export function certificateNames(config: Config): readonly string[] {
  return [...new Set([config.server.hostname, ...config.tls.names])]
}

export function certificateOptions(config: Config): CertificateOptions {
  const { certificate, key } = config.tls
  return {
    folder: keyFolderPath(config),
    names: certificateNames(config),
    caFile: caFilePath(config),
    given: certificate === undefined || key === undefined ? undefined : { certificate, key },
  }
}

export function tlsMaterial(certificate: TlsCertificate): TlsMaterial {
  const { names, keyPem, chainPem, endPointHash, origin } = certificate
  return { names, keyPem, chainPem, endPointHash, origin }
}
