import { parseAddress } from '../../mail/address.ts'
import type { EnvelopeSender } from '../../mail/envelope.ts'
import { smtpClient } from './client.ts'
import type {
  ClientAnswer,
  ClientAsk,
  ClientOptions,
  ClientTell,
  OutboundTransaction,
  RecipientResult,
} from './client-types.ts'
import type { Played } from './dialogue.test-kit.ts'
import { playDialogue } from './dialogue.test-kit.ts'

export const PLAIN: ClientOptions = {
  protocol: 'smtp',
  heloName: 'client.test',
  starttls: 'may',
  auth: 'none',
  chunking: false,
  pipelining: true,
}

export function mailAddress(text: string) {
  const address = parseAddress(text)
  if (address === undefined) throw new Error(`no address: ${text}`)
  return address
}

export interface Message {
  readonly from?: string
  readonly to: readonly string[]
  readonly body?: string
  readonly sender?: Partial<EnvelopeSender>
}

export function transactionOf({
  from = 'a@client.test',
  to,
  body = 'x\r\n',
  sender,
}: Message): OutboundTransaction {
  return {
    sender: { reversePath: mailAddress(from), bodyType: '7BIT', smtputf8: false, ...sender },
    recipients: to.map((text) => ({ address: mailAddress(text) })),
    sizeBytes: Buffer.byteLength(body),
  }
}

/** Sends the messages in order, each body in pieces of `pieceBytes`, then quits. */
export function sender(messages: readonly Message[], pieceBytes = 1000): (ask: ClientAsk) => ClientAnswer {
  let next = 0
  let body = Buffer.alloc(0)
  return (ask) => {
    if (ask.kind === 'next') {
      const message = messages[next++]
      if (message === undefined) return { kind: 'quit' }
      body = Buffer.from(message.body ?? 'x\r\n', 'latin1')
      return { kind: 'send', transaction: transactionOf(message) }
    }
    if (ask.kind !== 'body') return { kind: 'skip' }
    if (body.length === 0) return { kind: 'end' }
    const bytes = body.subarray(0, pieceBytes)
    body = body.subarray(pieceBytes)
    return { kind: 'bytes', bytes }
  }
}

export interface ClientPlay {
  readonly options?: Partial<ClientOptions>
  /** Called once for each run. */
  readonly answers?: () => (ask: ClientAsk) => ClientAnswer | undefined
  readonly text: string
}

/** Plays against a client core: the server's lines block by block, and cut at every octet. */
export function playClient({
  options,
  answers = () => sender([]),
  text,
}: ClientPlay): Played<ClientAsk, ClientTell> {
  let answer = answers()
  const machine = () => {
    answer = answers()
    return smtpClient({ ...PLAIN, ...options })
  }
  return playDialogue({ machine, text, peer: 'S', answer: (ask) => answer(ask) })
}

/** `stage from code enhanced` for each recipient of each result. */
export function outcomes(tells: readonly ClientTell[]): string[][] {
  return tells.flatMap((tell) => (tell.kind === 'result' ? [tell.result.recipients.map(outcome)] : []))
}

function outcome({ stage, from, reply }: RecipientResult): string {
  return `${stage} ${from} ${reply.code} ${reply.enhanced ?? '-'}`
}

export function failure(tells: readonly ClientTell[]): string | undefined {
  const last = tells.at(-1)
  if (last?.kind !== 'closing' || last.failure === undefined) return undefined
  const { stage, from, reply } = last.failure
  return `${stage} ${from} ${reply.code} ${reply.enhanced ?? '-'} ${reply.lines.join(' ')}`
}
