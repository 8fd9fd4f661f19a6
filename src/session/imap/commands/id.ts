import { visible } from '../../../bytes/ascii.ts'
import type { IdCommand } from '../../../protocol/imap/commands/id.ts'
import type { ImapAnswer } from '../../../protocol/imap/types.ts'
import { done, type ImapContext } from '../context.ts'

/** rfc2971 §3.1. Our version is not told: it helps nobody but who looks for an old one. */
export function id(context: ImapContext, command: IdCommand): ImapAnswer {
  const said = command.fields.map(([name, value]) => `${name}=${value ?? ''}`).join(' ')
  context.deps.log.event('imap.client', {
    client: context.client.remoteAddress,
    login: context.login?.login,
    says: visible(said),
  })
  context.machine.send({ kind: 'id', fields: [['name', 'Hikyaku']] })
  return done('OK', 'ID completed')
}
