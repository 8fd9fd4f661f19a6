import { LineReader } from '../src/bytes/lines.ts'
import { ByteQueue } from '../src/bytes/queue.ts'
import { decodeXtext, encodeXtext } from '../src/bytes/xtext.ts'
import { Bug } from '../src/mail/assert.ts'
import { readPeer } from '../src/protocol/smtp/client-peer.ts'
import { ContentEncoder, ContentScanner } from '../src/protocol/smtp/data.ts'
import type { ParseContext } from '../src/protocol/smtp/parse.ts'
import { parseCommand } from '../src/protocol/smtp/parse.ts'
import { readPath } from '../src/protocol/smtp/path.ts'
import { encodeReply } from '../src/protocol/smtp/reply.ts'
import { ReplyReader } from '../src/protocol/smtp/reply-reader.ts'

/** The pure parts of both SMTP cores, all on the same octets. */
export const name = 'smtp-parts'

export const corpus: readonly string[] = [
  'MAIL FROM:<"a\\"b"@x.test> SIZE=9 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=x+2By\r\n',
  'RCPT TO:<@a.test,@b.test:u@[IPv6:::1]> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+40x\r\n',
  'EHLO [192.0.2.1]\r\nAUTH PLAIN =\r\nBDAT 7 LAST\r\n',
  '250-x\r\n250-SIZE 9\r\n250 AUTH=LOGIN PLAIN\r\n550-5.1.1 a\r\n550 5.1.1 b\r\n',
  'a\r\n.\r\n.\n\r.\r.\r\n\r\n.\r\n',
]

const CONTEXT: ParseContext = {
  protocol: 'smtp',
  bareNewlines: 'accept-lf',
  smtputf8: true,
  dsn: true,
  utf8Transaction: true,
  maxParameters: 10,
}

export function fuzz(input: Uint8Array): void {
  fuzzCommands(input)
  fuzzReplies(input)
  fuzzContent(input)
  const text = Buffer.from(input).toString('utf8')
  if (decodeXtext(encodeXtext(text)) !== text && !text.includes('\ufffd'))
    throw new Bug('xtext there and back')
  const path = readPath(text)
  if (path !== undefined && path.path.kind === 'address' && /[\u0000-\u001f]/.test(path.path.address.local))
    throw new Bug('a control character in a local part')
}

function fuzzCommands(input: Uint8Array): void {
  const queue = new ByteQueue()
  const lines = new LineReader(queue)
  queue.push(input)
  for (let line = lines.next(1000); line.kind === 'line'; line = lines.next(1000)) {
    const command = parseCommand(line, CONTEXT)
    // What the server puts into records and replies must hold no control character, whatever came.
    const words = JSON.stringify(command)
    if (/\\u00[01]|\\[nrtbf]|\u007f/.test(words.replaceAll('\\\\', ''))) throw new Bug(words)
    if ('kind' in command) encodeReply(command.reply)
  }
}

function fuzzReplies(input: Uint8Array): void {
  const queue = new ByteQueue()
  const replies = new ReplyReader(queue, { replyLineBytes: 200, replyLines: 20 })
  queue.push(input)
  for (let read = replies.next(); read.kind === 'reply'; read = replies.next()) {
    encodeReply(read.reply)
    readPeer(read.reply)
  }
}

function fuzzContent(input: Uint8Array): void {
  const encoder = new ContentEncoder('dot')
  const out: Buffer[] = []
  const half = input.length >> 1
  encoder.encode(input.subarray(0, half), out)
  encoder.encode(input.subarray(half), out)
  encoder.finish(out)
  const wire = Buffer.concat(out)
  const limit = wire.length
  const scanner = new ContentScanner({
    framing: 'dot',
    bareNewlines: 'refuse',
    sizeBytes: limit,
    headerBytes: limit,
    textLineBytes: limit,
  })
  const used = scanner.scan(wire, [])
  if (!scanner.ended || used !== wire.length || scanner.fault !== undefined)
    throw new Bug(`what was encoded does not end where it should: ${scanner.fault}`)
}
