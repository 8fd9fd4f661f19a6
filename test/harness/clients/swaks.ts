// swaks: the SMTP client that people try a server with. The password goes by environment, never by argv.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dotStuffed } from '../messages.ts'
import { type Ran, run } from '../run.ts'

export interface SwaksOptions {
  readonly host: string
  readonly port: number
  readonly from: string
  readonly to: readonly string[]
  /** CRLF ends, before dot-stuffing. */
  readonly message: Uint8Array
  /** A folder for the file that swaks reads the message from. */
  readonly folder: string
  readonly tls?: 'none' | 'starttls' | 'implicit'
  /** Given: the certificate must verify against it. */
  readonly caFile?: string
  readonly login?: { readonly user: string; readonly password: string; readonly mechanism?: string }
}

/** Sends one message; the answer's standard output is the dialogue. Any exit code resolves. */
export function swaks(options: SwaksOptions): Promise<Ran> {
  const file = join(options.folder, 'swaks.data')
  // --no-data-fixup: not one octet is swaks's own but for the line end behind the final dot.
  writeFileSync(file, dotStuffed(options.message).subarray(0, -2))
  const args = ['--server', options.host, '--port', String(options.port), '--helo', 'client.far.test']
  args.push('--from', options.from, '--to', options.to.join(','), '--data', `@${file}`, '--no-data-fixup')
  if (options.tls === 'starttls') args.push('--tls')
  if (options.tls === 'implicit') args.push('--tls-on-connect')
  if (options.caFile) args.push('--tls-verify', '--tls-ca-path', options.caFile)
  const env: Record<string, string> = {}
  if (options.login) {
    args.push('--auth', options.login.mechanism ?? 'PLAIN')
    env.SWAKS_OPT_auth_user = options.login.user
    env.SWAKS_OPT_auth_password = options.login.password
  }
  return run('swaks', args, { env })
}
