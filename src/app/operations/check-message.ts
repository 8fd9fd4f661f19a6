import { type Address, makeAddress, parseAddress } from '../../mail/address.ts'
import { assert } from '../../mail/assert.ts'
import { canonicalIp } from '../../mail/ip.ts'
import { formatReply } from '../../mail/reply.ts'
import { pipelinePorts } from '../pipeline-ports.ts'
import { type Outcome, tryMessage } from './dry-run.ts'
import {
  type Operation,
  type OperationArgs,
  type OperationPorts,
  refused,
  said,
  textArg,
} from './operation.ts'
import { storyLines } from './why.ts'

/** `check-message`: what would become of a message that came from that address, by the same code, with the DNS of now. Nothing is stored. */
export const checkMessage: Operation = async (ports, args) => {
  const ip = textArg(args, 'ip')
  const client = canonicalIp(ip ?? '')
  if (client === undefined)
    return refused(
      ip === undefined
        ? 'Name the client that handed it in: `--ip ADDRESS`.'
        : `"${ip}" is no IP address; --ip names the client that handed it in.`,
    )
  const from = textArg(args, 'from') ?? ''
  const reversePath = from === '' || from === '<>' ? null : parseAddress(from.replace(/^<(.*)>$/, '$1'))
  if (reversePath === undefined)
    return refused(`${from} is no address; --from names the envelope sender, <> the empty one.`)
  const recipient = recipientOf(ports, args)
  if (recipient === undefined) return refused(`${textArg(args, 'to') ?? ''} is no address.`)
  const helo = textArg(args, 'helo') ?? `[${client.includes(':') ? 'IPv6:' : ''}${client}]`
  const content = withCrLf(Buffer.from(textArg(args, 'contentBase64') ?? '', 'base64'))
  const outcome = await tryMessage(pipelinePorts(ports), { client, helo, reversePath, recipient, content })
  return said(...fateLines(outcome), '', ...storyLines(ports, outcome.events), ...fieldLines(outcome))
}

function recipientOf(ports: OperationPorts, args: OperationArgs): Address | undefined {
  const to = textArg(args, 'to')
  if (to !== undefined) return parseAddress(to)
  const { domains, server } = ports.config()
  const anybody = makeAddress('somebody', domains.names[0] ?? server.hostname)
  assert(anybody !== undefined, 'a domain of the configuration takes an address')
  return anybody
}

/** Files have the line ends of the system, or of several; mail has CRLF and nothing else (rfc5321 §2.3.8). */
function withCrLf(content: Buffer): Buffer {
  return Buffer.from(content.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
}

function fateLines({ reply, stored }: Outcome): readonly string[] {
  const [first] = stored
  const fate =
    first === undefined
      ? reply.code < 500
        ? 'It would be put off'
        : 'It would be refused'
      : stored.some(({ hold }) => hold !== undefined)
        ? 'It would be held in the quarantine'
        : `It would be delivered to ${first.deliveries[0]?.specialUse === '\\Junk' ? 'Junk' : 'the mailbox'}`
  return [first === undefined ? `${fate}: ${formatReply(reply)}` : `${fate}.`]
}

/** Our results as they would stand in it. */
function fieldLines({ stored }: Outcome): readonly string[] {
  const [first] = stored
  if (first === undefined) return []
  const prefix = Buffer.from(first.prefix).toString('utf8')
  const field = /^Authentication-Results:.*(?:\r\n[ \t].*)*/m.exec(prefix)?.[0]
  return field === undefined ? [] : ['', ...field.split('\r\n')]
}
