import { Bug } from '../src/mail/assert.ts'
import type { MailboxName } from '../src/mail/mailbox-name.ts'
import { ImapClient } from '../src/protocol/imap/client.ts'

/** A hostile server. Whatever the cut, the client understands the same, and sends nothing that it was not told to. */
export const name = 'imap-client'

export const corpus: readonly string[] = [
  '* OK [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n+ go on\r\n+ go on\r\nc1 OK in\r\n* 3 EXISTS\r\n* 1 EXPUNGE\r\nc2 OK\r\n',
  '* PREAUTH x\r\n* LIST (\\Noselect \\HasChildren) "." {3}\r\na.b ("CHILDINFO" ("SUBSCRIBED") x (1 "2" {1}\r\n3))\r\n',
  '* OK x\r\n* 1 FETCH (UID 4 FLAGS (\\Seen \\Recent $x) BODY[1.HEADER.FIELDS (a "b")]<0> {5}\r\nhello ENVELOPE (NIL "a" (("x" NIL {1}\r\ny NIL)) NIL) X-NEW (1 (2)) RFC822.SIZE 7)\r\n',
  '* OK x\r\n* 2 FETCH (INTERNALDATE "17-Jul-1996 02:44:25 -0700" BODYSTRUCTURE ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 4 1) BODY[] NIL RFC822.TEXT "")\r\n',
  '* OK x\r\n* STATUS &U,BTFw- (MESSAGES 1 UNSEEN 2 HIGHESTMODSEQ 99999999999)\r\n* SEARCH 1 2 3\r\n* SEARCH\r\n* FLAGS (\\Seen)\r\n',
  '* OK x\r\n* OK [COPYUID 7 1:3 4,5,6] x\r\n* NO [BADCHARSET (a "b")] y\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] {5}\r\n* BYE\r\n',
  '* OK x\r\n* NAMESPACE (("" "/")("a" NIL "X" ("y"))) NIL NIL\r\n* ID ("name" NIL)\r\n* ENABLED A\r\n* XNEW {2}\r\nab\r\n',
]

export function fuzz(input: Uint8Array): void {
  const whole = listen([input])
  const octets = listen(Array.from(input, (octet) => Uint8Array.of(octet)))
  if (whole.tells !== octets.tells)
    throw new Bug(`cut input tells otherwise\n${whole.tells}\n--\n${octets.tells}`)
  // Who is lost says nothing more: what was due then is unsent.
  if (!octets.output.startsWith(whole.output)) throw new Bug('cut input is answered otherwise')
}

function listen(pieces: readonly Uint8Array[]): { readonly tells: string; readonly output: string } {
  const limits = {
    streamAboveOctets: 50,
    responseOctets: 2000,
    literalsPerResponse: 4,
    responseTextOctets: 1000,
  }
  const client = new ImapClient({ literals: 'none', nowMs: 0, limits })
  client.command({ kind: 'login', user: 'a', password: 'ü' })
  client.command({ kind: 'select', mailbox: 'INBOX' as MailboxName })
  client.command({ kind: 'authenticate', mechanism: 'X' })
  const tells: string[] = []
  let output = ''
  let streamed = ''
  const run = (): void => {
    for (let steps = 0; ; steps++) {
      if (steps > 100_000) throw new Bug('steps without end')
      const step = client.next()
      if (step.kind === 'need-input' || step.kind === 'close') return
      if (step.kind === 'write') output += Buffer.from(step.bytes).toString('latin1')
      else if (step.kind === 'ask') client.answer({ kind: 'cancel' })
      else if (step.kind !== 'tell') throw new Bug(step.kind)
      // The pieces of a literal come as they were cut.
      else if (step.tell.kind === 'literal') streamed += Buffer.from(step.tell.octets).toString('latin1')
      else tells.push(JSON.stringify(step.tell))
    }
  }
  run()
  for (const piece of pieces) {
    client.push(piece)
    run()
  }
  client.end()
  run()
  return { tells: `${tells.join('\n')}\n${streamed}`, output }
}
