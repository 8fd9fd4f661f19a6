import { parseAddress } from '../../mail/address.ts'
import type { EnvelopeSender } from '../../mail/envelope.ts'
import { formatReply, isPositive } from '../../mail/reply.ts'
import type { Origin } from '../../pipeline/origin.ts'
import { Transaction } from '../../pipeline/transaction.ts'
import { pipelinePorts } from '../pipeline-ports.ts'
import { type Operation, refused, said, textArg, textList } from './operation.ts'

/**
 * `sendmail`: mail from a program on this machine, by whoever may read the control socket. It takes the way of
 * every submission; its sender and author must be in a domain of ours, since nobody has logged in.
 */
export const submit: Operation = async (ports, args) => {
  const from = textArg(args, 'from') ?? ''
  const reversePath = from === '' ? null : parseAddress(from)
  if (reversePath === undefined) return refused(`${from} is no address.`)
  const recipients = textList(args, 'recipients')
  if (recipients.length === 0) return refused('Nobody to send to: name recipients, or use `-t`.')
  const content = Buffer.from(textArg(args, 'contentBase64') ?? '', 'base64')
  const sender: EnvelopeSender = {
    reversePath,
    bodyType: '8BITMIME',
    smtputf8: /[^\u0000-\u007f]/.test([from, ...recipients].join()),
  }
  const transaction = new Transaction(
    pipelinePorts(ports),
    localOrigin(textArg(args, 'user') ?? 'unknown'),
    sender,
  )
  const problems: string[] = []
  const started = await transaction.start()
  if (!isPositive(started)) return refused(formatReply(started))
  for (const text of recipients) {
    const address = parseAddress(text)
    const answer = address === undefined ? undefined : transaction.addRecipient({ address })
    if (answer === undefined) problems.push(`${text} is no address`)
    else if (answer.kind === 'reply' && !isPositive(answer.reply))
      problems.push(`${text}: ${formatReply(answer.reply)}`)
  }
  if (problems.length > 0) {
    transaction.abort('recipients')
    return refused(`Nothing was sent. ${problems.join('; ')}`)
  }
  await transaction.write(content)
  const answer = await transaction.commit()
  return isPositive(answer) ? said(transaction.id) : refused(`Nothing was sent. ${formatReply(answer)}`)
}

/** The header's author is checked like that of a trusted network: it must be on a list, here that of our own addresses. */
function localOrigin(user: string): Origin {
  return {
    role: 'local',
    listener: 'sendmail',
    client: 'unix',
    proxied: false,
    helo: user,
    extended: true,
    trustedNetwork: 'this machine',
  }
}
