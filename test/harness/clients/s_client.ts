// openssl s_client: does the chain verify, for this name, against this CA and nothing else?

import { type Ran, run } from '../run.ts'

export interface SClientOptions {
  readonly host: string
  readonly port: number
  readonly caFile: string
  /** The name that the certificate must carry. */
  readonly name: string
  /** The command that asks for TLS; none: from the first octet. */
  readonly starttls?: 'smtp' | 'imap' | 'lmtp'
  readonly version?: 'tls1_1' | 'tls1_2' | 'tls1_3'
}

/** Shakes hands and leaves. Exit code 0 means verified; any exit code resolves. */
export function sClient(options: SClientOptions): Promise<Ran> {
  const address = options.host.includes(':') ? `[${options.host}]` : options.host
  const args = ['s_client', '-connect', `${address}:${options.port}`, '-servername', options.name]
  args.push(
    '-verify_return_error',
    '-verify_hostname',
    options.name,
    '-no-CAfile',
    '-no-CApath',
    '-no-CAstore',
  )
  args.push('-CAfile', options.caFile, '-showcerts')
  if (options.starttls) args.push('-starttls', options.starttls)
  if (options.version) args.push(`-${options.version}`)
  return run('openssl', args, { input: '', timeoutMs: 30_000 })
}
