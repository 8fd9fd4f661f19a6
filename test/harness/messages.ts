// Messages that a real client may send, byte for byte, and the question whether they came out as they went in.

import assert from 'node:assert/strict'

export interface Sample {
  readonly name: string
  /** CRLF ends; as it is, before dot-stuffing. */
  readonly bytes: Buffer
}

const from = 'sender@far.test'

function message(subject: string, fields: readonly string[], body: string | Uint8Array): Buffer {
  const head = [
    'Date: Mon, 23 Nov 2026 10:00:00 +0900',
    `From: Sender <${from}>`,
    'To: someone@example.test',
    `Subject: ${subject}`,
    `Message-ID: <${subject.replace(/\W+/g, '.')}@far.test>`,
    ...fields,
    '',
    '',
  ].join('\r\n')
  return Buffer.concat([Buffer.from(head), typeof body === 'string' ? Buffer.from(crlf(body)) : body])
}

function crlf(text: string): string {
  return text.replace(/\r?\n/g, '\r\n')
}

// 飛脚が来た in ISO-2022-JP: the bytes hold no non-ASCII, but a "=" and a "%" as half characters.
const iso2022jp = Buffer.from('\x1b$BHt5S$,Mh$?!#\x1b(B\r\n', 'latin1')

function base64Lines(sizeBytes: number): string {
  // Not random: the same bytes at each run, and no run of equal lines that a fault could swap unseen.
  const bytes = Buffer.alloc(sizeBytes)
  for (let at = 0; at < sizeBytes; at++) bytes[at] = (at * 2654435761) >>> 24
  return `${bytes.toString('base64').replace(/.{76}/g, '$&\n')}\n`
}

function multipart(attachment: string): string {
  return `This is a preamble.
--=_outer
Content-Type: multipart/alternative; boundary="=_inner"

--=_inner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

=E9=A3=9B=E8=84=9A =3D courier=20
--=_inner
Content-Type: text/html; charset=utf-8

<p>飛脚</p>
--=_inner--
--=_outer
Content-Type: message/rfc822

From: inner@far.test
Subject: inside

--=_outer is not a boundary inside a line
--=_outer
Content-Type: application/octet-stream; name*=utf-8''%E9%A3%9B.bin
Content-Transfer-Encoding: base64

${attachment}--=_outer--
This is an epilogue.
`
}

const mixed = ['MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary="=_outer"']

/** Each kind of content that a transport could damage. The largest is past the size at which bodies become files. */
export const samples: readonly Sample[] = [
  { name: 'plain', bytes: message('plain', [], 'Hello.\n') },
  { name: 'no body', bytes: message('no body', [], '') },
  { name: 'leading dots', bytes: message('leading dots', [], '.\n..\n.a\n...\n\n.\n') },
  {
    name: 'odd white space',
    bytes: message(
      'odd white space',
      ['X-Folded: one\r\n two\r\n\tthree  ', 'X-Empty:', 'x-lower:no space', 'X-Twice: 1', 'X-Twice: 2'],
      ' leading\ntrailing \t\n\n\n  \nlast line\n\n',
    ),
  },
  {
    name: 'ISO-2022-JP',
    bytes: message(
      '=?ISO-2022-JP?B?GyRCSHQ1UxsoQg==?=',
      [
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=ISO-2022-JP',
        'Content-Transfer-Encoding: 7bit',
      ],
      iso2022jp,
    ),
  },
  {
    name: '8-bit UTF-8',
    bytes: message(
      '8bit',
      ['MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'],
      '飛脚が来た。\nÆØÅ €\n',
    ),
  },
  { name: 'longest line', bytes: message('longest line', [], `${'x'.repeat(998)}\n${'.'.repeat(998)}\n`) },
  { name: 'nested parts', bytes: message('nested parts', mixed, multipart(base64Lines(2_000))) },
  { name: 'large', bytes: message('large', mixed, multipart(base64Lines(900_000))) },
]

export function sample(name: string): Buffer {
  const found = samples.find((each) => each.name === name)
  if (!found) throw new Error(`no sample "${name}"`)
  return found.bytes
}

/** What a delivery may put on top of a message (rfc5321 §4.4, rfc8601 §2). */
const traceFields = new Set([
  'return-path',
  'received',
  'delivered-to',
  'received-spf',
  'authentication-results',
])

/** Asserts that `stored` is `sent` with nothing but trace fields above it, and answers those. */
export function assertOnlyTraceAdded(stored: Uint8Array, sent: Uint8Array, what: string): string {
  const whole = Buffer.from(stored)
  const added = whole.subarray(0, Math.max(0, whole.length - sent.length))
  const rest = whole.subarray(added.length)
  if (!rest.equals(sent)) assert.fail(`${what}: ${difference(whole, Buffer.from(sent))}`)
  const text = added.toString('latin1')
  assert.match(text, /\r\n$/, `${what}: the added fields do not end with a line`)
  for (const field of text
    .replace(/\r\n[ \t]/g, ' ')
    .split('\r\n')
    .slice(0, -1)) {
    const name = /^([\x21-\x39\x3b-\x7e]+):/.exec(field)?.[1] ?? field
    assert.ok(traceFields.has(name.toLowerCase()), `${what}: "${name}" was added above the message`)
  }
  return text
}

/** Where the two differ, counted from the end, since fields may have been added at the start. */
function difference(stored: Buffer, sent: Buffer): string {
  let same = 0
  while (same < sent.length && stored.at(-1 - same) === sent.at(-1 - same)) same++
  const around = (bytes: Buffer) =>
    JSON.stringify(bytes.subarray(-same - 40, bytes.length - same + 20).toString('latin1'))
  return `differs ${same} octets before its end: stored ${around(stored)}, sent ${around(sent)}`
}

/** A file on disk as it went over the wire: programs that write LF are read back with CRLF. */
export function withCrlf(bytes: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(bytes).toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
}

/** DATA's form: dots doubled, the final dot added (rfc5321 §4.5.2). */
export function dotStuffed(bytes: Uint8Array): Buffer {
  const text = Buffer.from(bytes).toString('latin1').replace(/^\./gm, '..')
  return Buffer.from(`${text}${text.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1')
}
