import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeParts, encodeParts, type Part, paramOf, partAt, sectionRange } from './parts.ts'
import { MessageScanner } from './scanner.ts'

// The example of rfc3501 §6.4.5, each part's text being its number.
const EXAMPLE = `Subject: top
Content-Type: multipart/mixed; boundary=m0

--m0
Content-Type: text/plain

1
--m0
Content-Type: application/octet-stream

2
--m0
Content-Type: message/rfc822
X-Mime: 3

Subject: three
Content-Type: multipart/mixed; boundary=m3

--m3
Content-Type: text/plain

3.1
--m3
Content-Type: application/octet-stream

3.2
--m3--
--m0
Content-Type: multipart/mixed; boundary=m4

--m4
Content-Type: image/gif

4.1
--m4
Content-Type: message/rfc822
X-Mime: 4.2

Subject: four two
Content-Type: multipart/mixed; boundary=m42

--m42
Content-Type: text/plain

4.2.1
--m42
Content-Type: multipart/alternative; boundary=m422

--m422
Content-Type: text/plain

4.2.2.1
--m422
Content-Type: text/richtext

4.2.2.2
--m422--
--m42--
--m4--
--m0--
`.replaceAll('\n', '\r\n')

function parse(content: string): Part {
  const scanner = new MessageScanner()
  scanner.push(Buffer.from(content))
  return decodeParts(scanner.end(new Uint8Array()).parts)
}

type What = 'all' | 'header' | 'text' | 'mime'

function section(content: string, path: string, what: What): string | undefined {
  const numbers = path === '' ? [] : path.split('.').map(Number)
  const range = sectionRange(parse(content), { path: numbers, what })
  return range === undefined ? undefined : content.slice(range.start, range.end)
}

test('part numbers are those of the example in rfc3501 §6.4.5', () => {
  for (const path of ['1', '2', '3.1', '3.2', '4.1', '4.2.1', '4.2.2.1', '4.2.2.2'])
    assert.equal(section(EXAMPLE, path, 'all'), path)
  assert.ok(section(EXAMPLE, '4.2.2', 'all')?.startsWith('--m422\r\n'))
  assert.ok(section(EXAMPLE, '3', 'all')?.startsWith('Subject: three'))
  assert.ok(section(EXAMPLE, '4', 'all')?.startsWith('--m4\r\n'))
})

test('HEADER and TEXT are of messages, MIME of parts', () => {
  const end = EXAMPLE.indexOf('--m0')
  assert.equal(section(EXAMPLE, '', 'all'), EXAMPLE)
  assert.equal(section(EXAMPLE, '', 'header'), EXAMPLE.slice(0, end))
  assert.equal(section(EXAMPLE, '', 'text'), EXAMPLE.slice(end))
  assert.equal(section(EXAMPLE, '', 'mime'), undefined)
  assert.equal(
    section(EXAMPLE, '3', 'header'),
    'Subject: three\r\nContent-Type: multipart/mixed; boundary=m3\r\n\r\n',
  )
  assert.ok(section(EXAMPLE, '3', 'text')?.startsWith('--m3\r\n'))
  assert.equal(section(EXAMPLE, '3', 'mime'), 'Content-Type: message/rfc822\r\nX-Mime: 3\r\n\r\n')
  assert.equal(section(EXAMPLE, '4.2', 'mime'), 'Content-Type: message/rfc822\r\nX-Mime: 4.2\r\n\r\n')
  assert.ok(section(EXAMPLE, '4.2', 'header')?.startsWith('Subject: four two'))
  assert.equal(section(EXAMPLE, '1', 'mime'), 'Content-Type: text/plain\r\n\r\n')
  for (const what of ['header', 'text'] as const) {
    assert.equal(section(EXAMPLE, '1', what), undefined)
    assert.equal(section(EXAMPLE, '4', what), undefined)
  }
})

test('parts that are not there have no range', () => {
  for (const path of ['5', '1.1', '2.1', '3.3', '3.1.1', '4.3', '4.1.1', '4.2.2.3', '0'])
    assert.equal(section(EXAMPLE, path, 'all'), undefined, path)
})

test('a message that is no multipart has its body as part 1', () => {
  const plain = 'Subject: x\r\n\r\nbody\r\n'
  assert.equal(section(plain, '1', 'all'), 'body\r\n')
  assert.equal(section(plain, '1', 'mime'), 'Subject: x\r\n\r\n')
  assert.equal(section(plain, '1.1', 'all'), undefined)
  assert.equal(section(plain, '2', 'all'), undefined)
  assert.equal(section(plain, '1', 'header'), undefined)
  const forward = 'Content-Type: message/rfc822\r\n\r\nSubject: within\r\n\r\nbody\r\n'
  assert.equal(section(forward, '1', 'all'), 'Subject: within\r\n\r\nbody\r\n')
  assert.equal(section(forward, '1', 'header'), 'Subject: within\r\n\r\n')
  assert.equal(section(forward, '1.1', 'all'), 'body\r\n')
  assert.equal(section(forward, '1.1', 'mime'), 'Subject: within\r\n\r\n')
  assert.equal(section(forward, '1.1.1', 'all'), undefined)
})

test('round trip: the stored form gives the tree back', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 10 })
  const some = fc.option(text, { nil: undefined })
  const number = fc.nat()
  const part: fc.Memo<Part> = fc.memo((depth) =>
    fc.record<Part>(
      {
        type: text,
        subtype: text,
        params: fc.array(fc.tuple(text, text), { maxLength: 3 }),
        headerStart: number,
        bodyStart: number,
        bodyEnd: number,
        lines: number,
        encoding: text,
        id: some,
        disposition: some,
        filename: some,
        children: depth <= 1 ? fc.constant([]) : fc.array(part(depth - 1), { maxLength: 2 }),
        message: depth <= 1 ? fc.constant(undefined) : fc.option(part(depth - 1), { nil: undefined }),
      },
      { noNullPrototype: true },
    ),
  )
  fc.assert(
    fc.property(part(3), (tree) => assert.deepEqual(decodeParts(encodeParts(tree)), tree)),
    { numRuns: 100 },
  )
})

test('a stored form cut at every byte or of another version is refused', () => {
  const stored = encodeParts(parse('Subject: x\r\n\r\nbody\r\n'))
  for (let cut = 0; cut < stored.length; cut++) assert.throws(() => decodeParts(stored.subarray(0, cut)))
  assert.throws(() => decodeParts(Buffer.from('[2,[]]')), /unknown version/)
})

test('partAt and paramOf find nothing by the names of the prototype', () => {
  const root = parse('Content-Type: text/plain; charset=x\r\n\r\n')
  assert.equal(paramOf(root, '__proto__'), undefined)
  assert.equal(paramOf(root, 'charset'), 'x')
  assert.equal(partAt(root, [])?.subtype, 'plain')
})
