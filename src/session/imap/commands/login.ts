import type { LoginCommand } from '../../../protocol/imap/commands/login.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { offeredMechanisms } from '../capabilities.ts'
import type { ImapContext } from '../context.ts'
import { loginAnswer } from './authenticate.ts'

const MECHANISM = 'LOGIN'

/** rfc3501 §6.2.3: clear text, so it is on offer exactly where PLAIN is. */
export async function login(context: ImapContext, command: LoginCommand): Promise<ImapAnswer> {
  if (!offeredMechanisms(context).includes('PLAIN'))
    return loginAnswer(context, { kind: 'unsupported' }, MECHANISM)
  const at = { client: context.client.remoteAddress, protocol: 'imap', mechanism: MECHANISM } as const
  const result = await context.deps.credentials.verifyPassword(command.user, command.password, at)
  return loginAnswer(
    context,
    result.kind === 'ok' ? result : { ...result, triedLogin: command.user },
    MECHANISM,
  )
}
