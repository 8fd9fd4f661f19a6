import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { parseAddresses } from './address.ts'
import { parseDate } from './date.ts'
import { headerFields, unfold } from './header.ts'
import { decodeParts, type Part } from './parts.ts'
import { MessageScanner, type MessageSummary } from './scanner.ts'
import { decodeTransfer, partText, readableText } from './text.ts'
import { decodeWords } from './words.ts'

// Mails with expectations and mails that broke other parsers, read where HIKYAKU_TESTDATA says they are.
const folder = process.env.HIKYAKU_TESTDATA
const options = { skip: folder === undefined ? 'HIKYAKU_TESTDATA is not set: no conformance mails' : false }
const MAILS = path.join(folder ?? '', 'mail')
const EML = path.join(MAILS, 'mail-parser/resources/eml')

/** Where we differ from mail-parser on purpose, by mail: the whole structure is left out of the comparison. */
const OTHER_STRUCTURE: Readonly<Record<string, string>> = {
  'rfc/008': 'a message within in base64 stays opaque: its octets are not the message (rfc2046 §5.2.1)',
  'legacy/049': 'a lone CR at the end belongs to the body',
  'malformed/000': 'a part whose header a delimiter ends is a part',
  'malformed/001':
    'an outer delimiter ends inner parts (rfc2046 §5.1.2), though the inner boundary begins it',
  'malformed/002': 'a multipart without a delimiter has its body as its only part',
  'malformed/004': 'a line that begins with the boundary is a delimiter (rfc2046 §5.1.1)',
  'malformed/007': 'a delimiter in the header of a multipart within is that of the outer one',
  'malformed/008': 'a line that begins with the boundary is a delimiter (rfc2046 §5.1.1)',
  'malformed/009': 'an outer delimiter ends an unclosed multipart within (rfc2046 §5.1.2)',
  'malformed/011': 'an outer delimiter ends an unclosed multipart within (rfc2046 §5.1.2)',
  'malformed/012': 'an outer delimiter ends an unclosed multipart within (rfc2046 §5.1.2)',
  'malformed/013': 'a delimiter line that ends the message opens an empty part',
  'malformed/014': 'a delimiter line that ends the message opens an empty part',
  'malformed/016': 'an outer delimiter ends an unclosed multipart within (rfc2046 §5.1.2)',
  'malformed/019': 'a part whose first line is no field has no header',
  'malformed/020': 'of two Content-Type fields the first counts here, the last there',
  'malformed/021': 'of two Content-Type fields the first counts here, the last there',
  'malformed/022': 'a message within without a header is a message all the same: clients are told its type',
  'thirdparty/015': 'an outer delimiter ends a message within whose header has no end (rfc2046 §5.1.2)',
  'thirdparty/005': 'a delimiter begins its line: the text of the last part is not cut within one',
}

/** A value that differs for one of these reasons is no mismatch. */
const EXCUSES: readonly {
  readonly reason: string
  readonly holds: (ours: string, theirs: string) => boolean
}[] = [
  {
    reason: '8-bit text without a label is guessed here, U+FFFD there',
    holds: (ours, theirs) => theirs.includes('\ufffd') && !ours.includes('\ufffd'),
  },
  {
    reason: 'broken base64 is decoded as far as it goes here, given as it is there',
    holds: (_ours, theirs) => /base64-encoded|\ufffd$|\?garbage/.test(theirs),
  },
  {
    reason: 'comments are no part of a name here',
    holds: (ours, theirs) => ours !== '' && theirs.startsWith(ours.slice(0, 5)) && theirs.includes('('),
  },
  {
    reason: 'a word without a domain is a local part here (rfc3501 §7.4.2 wants one), a name there',
    holds: (ours, theirs) => ours.replace(/^ /, '') === theirs.replace(/ $/, ''),
  },
  {
    reason: 'a comment alone is no address here',
    holds: (ours, theirs) => ours === '' && /^[a-z]+ in US-ASCII $/.test(theirs),
  },
  {
    reason: 'of two parameters of one name the first counts here, the last there',
    holds: (ours, theirs) => ours.includes('comment=;') && theirs.includes('comment=人権'),
  },
]

interface TheirAddress {
  readonly name: string | null
  readonly address: string | null
}
interface TheirValue {
  readonly Address?: { List?: TheirAddress[]; Group?: { addresses: TheirAddress[] }[] }
  readonly DateTime?: TheirDate
  readonly Text?: string
  readonly ContentType?: {
    c_type: string
    c_subtype: string | null
    attributes: { name: string; value: string }[] | null
  }
}
interface TheirDate {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly tz_before_gmt: boolean
  readonly tz_hour: number
  readonly tz_minute: number
}
interface TheirPart {
  readonly headers: { name: string | { other: string }; value: TheirValue | string }[]
  readonly body:
    | { Text?: string; Html?: string; Binary?: number[]; InlineBinary?: number[]; Message?: Theirs }
    | string
  readonly offset_header: number
  readonly offset_body: number
  readonly offset_end: number
}
interface Theirs {
  readonly parts: TheirPart[]
}

function scan(content: Uint8Array): { summary: MessageSummary; root: Part } {
  const scanner = new MessageScanner()
  scanner.push(content)
  const summary = scanner.end(new Uint8Array())
  return { summary, root: decodeParts(summary.parts) }
}

/** Depth first, messages within left out: the order of mail-parser's list. */
function flat(part: Part): Part[] {
  return [part, ...part.children.flatMap(flat)]
}

class Comparison {
  compared = 0
  readonly mismatches: string[] = []
  readonly #mail: string
  readonly #content: Buffer

  constructor(mail: string, content: Buffer) {
    this.#mail = mail
    this.#content = content
  }

  message(root: Part, theirs: Theirs): void {
    const ours = flat(root)
    this.#same('parts', String(ours.length), String(theirs.parts.length))
    for (const [index, part] of ours.entries()) {
      const their = theirs.parts[index]
      if (their !== undefined) this.#part(part, their)
    }
  }

  #part(part: Part, their: TheirPart): void {
    const range = [part.headerStart, part.bodyStart, part.bodyEnd]
    this.#same('offsets', range.join(), [their.offset_header, their.offset_body, their.offset_end].join())
    this.#headers(part, their)
    if (typeof their.body === 'string') return
    const { Text, Html, Binary, InlineBinary, Message } = their.body
    const read = (start: number, end: number): Uint8Array => this.#content.subarray(start, end)
    const text = Text ?? Html
    if (text !== undefined)
      this.#same('text', partText({ ...part, subtype: 'plain' }, read).text, text.replaceAll('\r\n', '\n'))
    const octets = Binary ?? InlineBinary
    if (octets !== undefined) {
      const body = decodeTransfer(read(part.bodyStart, part.bodyEnd), part.encoding)
      this.#same('octets', Buffer.from(body).toString('hex'), Buffer.from(octets).toString('hex'))
    }
    if (Message !== undefined && part.message !== undefined) this.message(part.message, Message)
  }

  #headers(part: Part, their: TheirPart): void {
    const fields = headerFields(this.#content.subarray(part.headerStart, part.bodyStart))
    this.#same('fields', String(fields.length), String(their.headers.length))
    for (const [index, { key, raw }] of fields.entries()) {
      const header = their.headers[index]
      if (header === undefined) continue
      const name = typeof header.name === 'string' ? header.name.replaceAll('_', '-') : header.name.other
      this.#same('field name', key, name.toLowerCase())
      if (typeof header.value !== 'string') this.#value(part, key, raw, header.value)
    }
  }

  #value(part: Part, key: string, raw: string, value: TheirValue): void {
    if (value.Address !== undefined) this.#addresses(raw, value.Address)
    if (value.DateTime !== undefined)
      this.#same('date', String(parseDate(unfold(raw))?.ms), String(momentOf(value.DateTime)))
    if (value.Text !== undefined && ['subject', 'comments', 'content-description'].includes(key))
      this.#same('words', decodeWords(unfold(raw)).text, value.Text)
    if (value.ContentType !== undefined && key === 'content-type') {
      const { c_type, c_subtype, attributes } = value.ContentType
      const params = part.params.map(([name, text]) => `${name}=${text};`).toSorted()
      const theirs = (attributes ?? [])
        .map(({ name, value: text }) => `${name.toLowerCase()}=${text};`)
        .toSorted()
      this.#same(
        'type',
        `${part.type}/${part.subtype} ${params.join('')}`,
        `${c_type}/${c_subtype} ${theirs.join('')}`.replace(/^\S+/, (type) => type.toLowerCase()),
      )
    }
  }

  #addresses(raw: string, theirs: NonNullable<TheirValue['Address']>): void {
    const list = theirs.List ?? theirs.Group?.flatMap(({ addresses }) => addresses) ?? []
    const ours = parseAddresses(raw).mailboxes.map(
      ({ name, local, domain }) => `${name ?? ''} ${domain === '' ? local : `${local}@${domain}`}`,
    )
    const expected = list.map(({ name, address }) => `${name ?? ''} ${address ?? ''}`)
    this.#same('addresses', ours.join(', '), expected.join(', '))
  }

  #same(what: string, ours: string, theirs: string): void {
    this.compared++
    if (ours === theirs || EXCUSES.some(({ holds }) => holds(ours, theirs))) return
    this.mismatches.push(
      `${this.#mail} ${what}: ${JSON.stringify(ours.slice(0, 200))} ${JSON.stringify(theirs.slice(0, 200))}`,
    )
  }
}

function momentOf(date: TheirDate): number {
  const zoneMinutes = (date.tz_before_gmt ? -1 : 1) * (date.tz_hour * 60 + date.tz_minute)
  return (
    Date.UTC(date.year, date.month - 1, date.day, date.hour, date.minute, date.second) - zoneMinutes * 60_000
  )
}

function withLineEnds(content: Buffer, eol: string): Buffer {
  return Buffer.from(content.toString('latin1').replaceAll('\r\n', '\n').replaceAll('\n', eol), 'latin1')
}

test('the mails of mail-parser are read as it expects', options, () => {
  const mismatches: string[] = []
  const different = new Set<string>()
  let compared = 0
  for (const set of ['rfc', 'legacy', 'malformed', 'thirdparty']) {
    for (const file of fs.readdirSync(path.join(EML, set)).filter((name) => name.endsWith('.json'))) {
      const mail = `${set}/${file.replace(/(?:\.crlf)?\.json$/, '')}`
      const content = withLineEnds(
        fs.readFileSync(path.join(EML, `${mail}.eml`)),
        file.endsWith('.crlf.json') ? '\r\n' : '\n',
      )
      const comparison = new Comparison(mail, content)
      comparison.message(scan(content).root, JSON.parse(fs.readFileSync(path.join(EML, set, file), 'utf8')))
      compared += comparison.compared
      if (OTHER_STRUCTURE[mail] === undefined) mismatches.push(...comparison.mismatches)
      else if (comparison.mismatches.length > 0) different.add(mail)
    }
  }
  assert.deepEqual(mismatches, [])
  // As many as there are: a test that compares nothing must not pass, nor keep a reason that no mail needs.
  assert.ok(compared > 3_000, `compared ${compared}`)
  assert.deepEqual([...different].toSorted(), Object.keys(OTHER_STRUCTURE).toSorted())
})

function mailsUnder(folderPath: string): string[] {
  return fs
    .readdirSync(folderPath, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(?:json|md)$|^COPYING$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
}

test('every mail of every collection is read, its ranges nest and its cuts change nothing', options, () => {
  const mails = mailsUnder(MAILS)
  assert.ok(mails.length > 400, `${mails.length} mails`)
  for (const mail of mails) {
    const content = fs.readFileSync(mail)
    const { summary, root } = scan(content)
    const scanner = new MessageScanner()
    for (let at = 0; at < content.length; at += 61) scanner.push(content.subarray(at, at + 61))
    assert.deepEqual(scanner.end(new Uint8Array()), summary, mail)
    for (const part of flat(root)) {
      assert.ok(part.headerStart <= part.bodyStart && part.bodyStart <= part.bodyEnd, mail)
      assert.ok(part.bodyEnd <= content.length, mail)
    }
    assert.equal(typeof readableText(root, (start, end) => content.subarray(start, end)).text, 'string')
  }
})

const READABLE: readonly (readonly [mail: string, subject: string, to: string, text: RegExp])[] = [
  ['multi_charset/japanese.eml', 'まみむめも', 'みける <raasdnil@gmail.com>', /^かきくえこ\n/],
  ['multi_charset/japanese_iso_2022.eml', 'まみむめも', 'みける <raasdnil@gmail.com>', /^すみません。\n/],
  [
    'multi_charset/japanese_shift_jis.eml',
    'test',
    'unknown@example.com',
    /^あいうえお\n\nこのメールはテスト用のメールです。\n/,
  ],
  ['multi_charset/ks_c_5601-1987.eml', 'test', 'unknown@example.com', /^스티해\n/],
  ['rfc2822/example14.eml', 'Re: TEST \tテストテスト', 'rudeboyjet@gmail.com', /^Hello\n/],
  [
    'plain_emails/raw_email_with_partially_quoted_subject.eml',
    'Re: Test: "漢字" mid "漢字" tail',
    'jamis@37signals.com',
    /^대부분의/,
  ],
]

test('Japanese and Korean mails are readable', options, () => {
  for (const [mail, subject, to, text] of READABLE) {
    const content = fs.readFileSync(path.join(MAILS, 'ruby-mail/spec/fixtures/emails', mail))
    const { summary, root } = scan(content)
    assert.equal(summary.subject, subject, mail)
    assert.equal(summary.to, to, mail)
    assert.match(readableText(root, (start, end) => content.subarray(start, end)).text, text, mail)
  }
  const attachment = path.join(
    MAILS,
    'ruby-mail/spec/fixtures/emails/multi_charset/japanese_attachment_long_name.eml',
  )
  const { root } = scan(fs.readFileSync(attachment))
  assert.ok(
    root.children.some(
      ({ filename }) => filename === 'かきくけこかきくけこかきくけこかきくけこかきくけこ.txt',
    ),
  )
})
