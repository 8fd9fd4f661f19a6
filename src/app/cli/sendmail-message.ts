import { type Address, formatAddress, makeAddress, parseAddress } from '../../mail/address.ts'
import { parseAddresses } from '../../mime/address.ts'
import { composeAddressField } from '../../mime/compose.ts'
import { headerFields } from '../../mime/header.ts'

export interface SendmailOptions {
  /** `-f`: the envelope sender; undefined: the first From address. */
  readonly from: string | undefined
  /** `-F`: the name in a From field that has to be made. */
  readonly fullName: string | undefined
  /** `-t`: recipients are those of To, Cc and Bcc too. */
  readonly readRecipients: boolean
  /** `-i`: a line of one dot does not end the message. */
  readonly ignoreDots: boolean
  readonly recipients: readonly string[]
  /** Who calls, as an address of ours. */
  readonly caller: Address
}

export interface PreparedMessage {
  readonly from: string
  readonly recipients: readonly string[]
  readonly content: Buffer
}

const RECIPIENT_FIELDS = new Set(['to', 'cc', 'bcc'])

/** Makes what a program wrote to `sendmail` into a message for the wire: CRLF line ends, a From field, no Bcc with `-t`. */
export function prepareMessage(raw: Buffer, options: SendmailOptions): PreparedMessage {
  const text = withCrlf(options.ignoreDots ? raw.toString('latin1') : untilDot(raw.toString('latin1')))
  const { header, body } = split(text)
  const fields = headerFields(Buffer.from(header, 'latin1'))
  const named = options.readRecipients
    ? fields.filter(({ key }) => RECIPIENT_FIELDS.has(key)).flatMap(({ raw: value }) => addressesOf(value))
    : []
  const author = fields.filter(({ key }) => key === 'from').flatMap(({ raw: value }) => addressesOf(value))[0]
  const from = options.from ?? author ?? formatAddress(options.caller)
  const kept = options.readRecipients ? fields.filter(({ key }) => key !== 'bcc') : fields
  const lines = kept.map(({ start, end }) => header.slice(start, end)).join('')
  const added =
    author === undefined
      ? composeAddressField('From', [
          { name: options.fullName, address: parseAddress(from) ?? options.caller },
        ])
      : ''
  return {
    from,
    recipients: [
      ...new Set([...options.recipients.map((name) => withDomain(name, options.caller.domain)), ...named]),
    ],
    content: Buffer.from(`${added}${lines}\r\n${body}`, 'latin1'),
  }
}

/** `root` means the root of this domain. */
function withDomain(name: string, domain: string): string {
  return name.includes('@') ? name : `${name}@${domain}`
}

function addressesOf(value: string): string[] {
  return parseAddresses(value).mailboxes.flatMap(({ local, domain }) => {
    const address = makeAddress(local, domain)
    return address === undefined ? [] : [formatAddress(address)]
  })
}

function withCrlf(text: string): string {
  const lines = text.replace(/\r?\n/g, '\r\n')
  return lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`
}

/** rfc5321 §4.1.1.4 in the words of the old command: a dot alone ends the message. */
function untilDot(text: string): string {
  const match = /^\.\r?$/m.exec(text)
  return match === null ? text : text.slice(0, match.index)
}

/** A message that begins without a header field has no header at all. */
function split(text: string): { readonly header: string; readonly body: string } {
  if (!/^[\x21-\x39\x3b-\x7e]+[ \t]*:/.test(text))
    return { header: '', body: text.startsWith('\r\n') ? text.slice(2) : text }
  const end = text.indexOf('\r\n\r\n')
  return end < 0 ? { header: text, body: '' } : { header: text.slice(0, end + 2), body: text.slice(end + 4) }
}
