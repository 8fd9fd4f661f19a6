import { Bug } from '../src/mail/assert.ts'
import { IMAP_CLIENT_LIMITS } from '../src/protocol/imap/client-types.ts'
import { ResponseInput } from '../src/protocol/imap/response-flow.ts'
import { Stage } from '../src/protocol/imap/stage.test-kit.ts'

/**
 * A hostile client. The first octet picks how far it has got and what the limits are. Whatever the cut, the
 * server says and tells the same, and all that it says can be read.
 */
export const name = 'imap-server'

const LOGIN = 'x LOGIN alice secret\r\n'
const SELECT = `${LOGIN}y SELECT INBOX\r\n`

export const corpus: readonly string[] = [
  '\u0000a CAPABILITY\r\nb LOGIN {5+}\r\nalice {6}\r\nsecret\r\nc AUTHENTICATE PLAIN\r\n*\r\nd ID ("a" NIL)\r\n',
  '\u0000a AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\nb AUTHENTICATE PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\nc STARTTLS\r\n',
  '\u0001a LIST (SPECIAL-USE) "" (INBOX "Se%") RETURN (SUBSCRIBED STATUS (MESSAGES SIZE))\r\nb LSUB "" *\r\n',
  '\u0001a CREATE &U,BTFw-/x\r\nb RENAME Sent "a \\" b"\r\nc STATUS inbox (UNSEEN UIDNEXT)\r\nd DELETE {2+}\r\nab\r\n',
  '\u0001a APPEND Sent (\\Seen x) "17-Jul-1996 02:44:25 -0700" {3+}\r\nabc\r\nb APPEND {4}\r\nSent {2}\r\nhi\r\n',
  '\u0001a APPEND nowhere {4+}\r\n\r\n{9\r\nb APPEND Sent {2+}\r\nab {3+}\r\nabc\r\nc NOOP\r\n',
  '\u0002a FETCH 1:* (UID FLAGS BODY.PEEK[1.2.HEADER.FIELDS (a {1+}\r\nb)]<0.5>)\r\nb UID FETCH *:9 FULL\r\n',
  '\u0002a SEARCH CHARSET UTF-8 OR (NOT SEEN UID 1:*) HEADER x {2+}\r\n\u00c3\u00a9 BEFORE 1-Feb-1994 1:2,*\r\n',
  '\u0002a STORE 1 +FLAGS.SILENT (\\Deleted x)\r\nb UID EXPUNGE 1:9\r\nc MOVE 1 Sent\r\nd UID COPY 1:* Sent\r\ne CLOSE\r\n',
  '\u0002a IDLE\r\nDONE\r\nb IDLE\r\nx\r\nc ENABLE A B\r\nd NAMESPACE\r\ne UNSELECT\r\nf LOGOUT\r\n',
  '\u0006a SEARCH BODY {1+}\r\na BODY {1+}\r\nb BODY {9+}\r\n123456789 BODY {99999999999}\r\n',
  '\u0004GET / HTTP/1.1\r\n\r\na b c {-1}\r\n',
]

export function fuzz(input: Uint8Array): void {
  const options = input[0] ?? 0
  const rest = input.subarray(1)
  const whole = converse(options, [rest])
  readAll(whole.output)
  const octets = converse(
    options,
    Array.from(rest, (octet) => Uint8Array.of(octet)),
  )
  // What stands behind STARTTLS is dropped as far as it has come: there the cut decides.
  if (whole.output.includes('OK STARTTLS')) return
  if (whole.output !== octets.output)
    throw new Bug(`cut input is answered otherwise\n${whole.output}\n--\n${octets.output}`)
  if (whole.tells !== octets.tells)
    throw new Bug(`cut input tells otherwise\n${whole.tells}\n--\n${octets.tells}`)
}

interface Conversation {
  readonly output: string
  readonly tells: string
}

function converse(options: number, pieces: readonly Uint8Array[]): Conversation {
  const small = { commandTextOctets: 300, literalOctets: 40, literalsPerCommand: 3, discardOctets: 500 }
  const stage = new Stage({
    literals: (options & 8) === 0 ? 'LITERAL+' : 'LITERAL-',
    ...((options & 4) === 0 ? {} : { limits: small }),
  })
  stage.push(['', LOGIN, SELECT, SELECT][options & 3] ?? '')
  for (const piece of pieces) {
    stage.server.push(piece)
    stage.run()
  }
  stage.event('end')
  if (!stage.closed) throw new Bug('a connection that ended is still open')
  return { output: stage.output, tells: JSON.stringify(stage.session.tells) }
}

function readAll(output: string): void {
  const input = new ResponseInput(IMAP_CLIENT_LIMITS)
  input.queue.push(Buffer.from(output, 'latin1'))
  while (input.queue.length > 0) {
    const lines = input.next()
    for (let step = lines.next(); ; step = lines.next()) {
      if (step.done === true) {
        if (step.value.kind === 'malformed') throw new Bug(`${step.value.cause} in what we said\n${output}`)
        break
      }
      if (step.value.kind === 'need-input') throw new Bug(`half a response\n${output}`)
    }
  }
}
