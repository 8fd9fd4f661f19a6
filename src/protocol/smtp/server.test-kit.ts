import { reply } from '../../mail/reply.ts'
import type { Played } from './dialogue.test-kit.ts'
import { playBurst, playDialogue } from './dialogue.test-kit.ts'
import { smtpServer } from './server.ts'
import type { ServerAnswer, ServerAsk, ServerOffers, ServerOptions, ServerTell } from './types.ts'

export const OFFERS: ServerOffers = {
  starttls: true,
  auth: { clear: [], tls: [] },
  sizeBytes: 10_000,
  smtputf8: true,
  chunking: true,
  dsn: true,
  rcptMax: 1000,
}

export const MX: ServerOptions = {
  protocol: 'smtp',
  role: 'mx',
  hostname: 'mx.test',
  offers: OFFERS,
  requireTls: false,
  requireAuth: false,
  bareNewlines: 'refuse',
}

export const LMTP: ServerOptions = { ...MX, protocol: 'lmtp', role: 'lmtp' }

/** Says yes to everything; refuses recipients `nobody@…`. */
export function friendly(ask: ServerAsk): ServerAnswer {
  if (ask.kind === 'message') return { kind: 'reply', reply: reply(250, '2.0.0', 'Kept') }
  if (ask.kind === 'rcpt' && ask.path.kind === 'address' && ask.path.address.local === 'nobody')
    return { kind: 'reply', reply: reply(550, '5.1.1', 'No such user') }
  return { kind: 'accept' }
}

export interface ServerPlay {
  readonly options?: ServerOptions
  readonly answer?: (ask: ServerAsk) => ServerAnswer | undefined
  readonly text: string
}

/** Plays against a server core: cut at every octet, block by block. */
export function playServer(play: ServerPlay): Played<ServerAsk, ServerTell> {
  return playDialogue(asPlay(play))
}

/** The same, and once more with all that the client says in one piece. */
export function playPipelined(play: ServerPlay): Played<ServerAsk, ServerTell> {
  playBurst(asPlay(play))
  return playServer(play)
}

function asPlay({ options = MX, answer = friendly, text }: ServerPlay) {
  return { machine: () => smtpServer(options), text, peer: 'C' as const, answer }
}
