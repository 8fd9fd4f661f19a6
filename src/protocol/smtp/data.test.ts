import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { ScanOptions } from './data.ts'
import { ContentEncoder, ContentScanner } from './data.ts'

const OPTIONS: ScanOptions = {
  framing: 'dot',
  bareNewlines: 'refuse',
  sizeBytes: 1000,
  headerBytes: 1000,
  textLineBytes: 1000,
}

interface Scanned {
  readonly body: string
  readonly used: number
  readonly ended: boolean
  readonly fault: string | undefined
  readonly facts: unknown
}

/** Scans `text` in pieces of the given sizes, the last one repeated. */
function scan(text: string, options: ScanOptions, sizes: readonly number[] = [text.length + 1]): Scanned {
  const scanner = new ContentScanner(options)
  const bytes = Buffer.from(text, 'latin1')
  const out: Buffer[] = []
  let used = 0
  let piece = 0
  while (used < bytes.length && !scanner.ended && scanner.fault !== 'smuggling') {
    const size = sizes[Math.min(piece++, sizes.length - 1)] ?? 1
    used += scanner.scan(bytes.subarray(used, used + size), out)
  }
  if (options.framing === 'counted') scanner.finish()
  const { ended, fault } = scanner
  // What was told before a fault was found depends on the cut, and nobody may use it.
  const body = fault === undefined ? Buffer.concat(out).toString('latin1') : ''
  return { body, used, ended, fault, facts: scanner.facts() }
}

/** The same rules once more, octet by octet and in the dullest way. */
function model(text: string, acceptLf: boolean): Pick<Scanned, 'body' | 'used' | 'ended' | 'fault'> {
  let body = ''
  let bare = false
  let start: 'good' | 'bad' | undefined = 'good'
  for (let i = 0; i < text.length; ) {
    const rest = text.slice(i)
    if (start !== undefined && rest.startsWith('.')) {
      if (start === 'good' && rest.startsWith('.\r\n'))
        return { body: bare ? '' : body, used: i + 3, ended: true, fault: bare ? 'bare-newline' : undefined }
      const lone = rest.startsWith('.\n') || rest.startsWith('.\r\n')
      const dotCr = /^\.\r[^\n]/s.test(rest)
      if (dotCr || (lone && (!acceptLf || bare)))
        return {
          body: '',
          used: i + (rest.startsWith('.\n') ? 2 : rest.startsWith('.\r\n') ? 3 : 2),
          ended: false,
          fault: 'smuggling',
        }
      if (rest === '.' || rest === '.\r') break
      if (lone) body += '.'
      i++
      start = undefined
    } else if (rest.startsWith('\r\n')) {
      body += '\r\n'
      start = 'good'
      i += 2
    } else if (rest.startsWith('\n')) {
      if (acceptLf) body += '\r\n'
      else bare = true
      start = 'bad'
      i++
    } else if (rest.startsWith('\r')) {
      if (rest.length > 1) bare = true
      body += '\r'
      start = 'bad'
      i++
    } else {
      body += rest.charAt(0)
      start = undefined
      i++
    }
  }
  return { body: bare ? '' : body, used: text.length, ended: false, fault: bare ? 'bare-newline' : undefined }
}

const hostile = fc
  .array(fc.constantFrom('\r\n', '\r\n', '\r\n.', '\r', '\n', '.', 'x', '\0', '\xe9', '\r\n.\r\n'), {
    maxLength: 25,
  })
  .map((pieces) => pieces.join(''))
const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 20 })
const leniency = fc.constantFrom<ScanOptions['bareNewlines']>('refuse', 'accept-lf')

test('property: the scanner agrees with a dull model', () => {
  fc.assert(
    fc.property(hostile, leniency, sizes, (text, bareNewlines, cuts) => {
      const { body, used, ended, fault } = scan(text, { ...OPTIONS, bareNewlines }, cuts)
      assert.deepEqual({ body, used, ended, fault }, model(text, bareNewlines === 'accept-lf'))
    }),
    { numRuns: 2000 },
  )
})

test('property: content cut at every octet, or anywhere, gives the same verdict and facts', () => {
  const framings = fc.constantFrom<ScanOptions['framing']>('dot', 'counted')
  const limits = fc.record({
    sizeBytes: fc.integer({ min: 0, max: 40 }),
    headerBytes: fc.integer({ min: 0, max: 40 }),
    textLineBytes: fc.integer({ min: 0, max: 12 }),
  })
  fc.assert(
    fc.property(hostile, leniency, framings, limits, sizes, (text, bareNewlines, framing, some, cuts) => {
      const options = { framing, bareNewlines, ...some }
      const whole = scan(text, options)
      assert.deepEqual(scan(text, options, [1]), whole)
      assert.deepEqual(scan(text, options, cuts), whole)
    }),
    { numRuns: 2000 },
  )
})

function encode(text: string, framing: 'dot' | 'counted', cuts: readonly number[]): string {
  const encoder = new ContentEncoder(framing)
  const bytes = Buffer.from(text, 'latin1')
  const out: Buffer[] = []
  let piece = 0
  for (let at = 0; at < bytes.length; ) {
    const size = cuts[Math.min(piece++, cuts.length - 1)] ?? 1
    encoder.encode(bytes.subarray(at, at + size), out)
    at += size
  }
  encoder.finish(out)
  return Buffer.concat(out).toString('latin1')
}

test('round trip: clean content through encoder and scanner, cut at every octet or anywhere', () => {
  const clean = fc
    .array(fc.constantFrom('\r\n', '.', 'x', '\0', '\xe9', '..'), { maxLength: 30 })
    .map((pieces) => `${pieces.join('')}\r\n`)
  fc.assert(
    fc.property(clean, sizes, sizes, (text, cutOut, cutIn) => {
      const wire = encode(text, 'dot', cutOut)
      const { body, ended, fault, used } = scan(wire, OPTIONS, cutIn)
      assert.deepEqual(
        { body, ended, fault, used },
        { body: text, ended: true, fault: undefined, used: wire.length },
      )
      assert.equal(encode(text, 'counted', cutOut), text)
    }),
    { numRuns: 1000 },
  )
})

test('attack 1c: property: whatever the content is, what leaves has one end and no bare CR or LF', () => {
  fc.assert(
    fc.property(hostile, sizes, (text, cuts) => {
      const wire = encode(text, 'dot', cuts)
      assert.equal(wire, encode(text, 'dot', [text.length + 1]))
      assert.doesNotMatch(wire, /\r(?!\n)|(?<!\r)\n/)
      const { ended, fault, used } = scan(wire, OPTIONS)
      assert.deepEqual({ ended, fault, used }, { ended: true, fault: undefined, used: wire.length })
      assert.doesNotMatch(encode(text, 'counted', cuts), /\r(?!\n)|(?<!\r)\n/)
    }),
    { numRuns: 1000 },
  )
})

test('facts: lines, header, longest line, NUL and 8-bit octets, only of the message itself', () => {
  const { facts, used } = scan('A: b\r\nC: dd\r\n\r\nx\xe9\0\r\n.\r\nNOOP', { ...OPTIONS })
  assert.equal(used, 23)
  assert.deepEqual(facts, {
    sizeBytes: 20,
    lines: 4,
    headerBytes: 15,
    longestLineBytes: 7,
    bareLineFeeds: 0,
    hasNul: true,
    has8bit: true,
    endsWithNewline: true,
  })
  const clean = scan('x\r\n.\r\n\0\xe9', OPTIONS).facts as { hasNul: boolean; has8bit: boolean }
  assert.ok(!clean.hasNul && !clean.has8bit)
  const open = scan('a\r\n\r\nb', { ...OPTIONS, framing: 'counted' }).facts as {
    lines: number
    endsWithNewline: boolean
  }
  assert.deepEqual([open.lines, open.endsWithNewline], [3, false])
})

test('pieces are parts of what came in: nothing is copied', () => {
  const chunk = Buffer.from('one\r\n..two\r\nthree\r\n')
  const out: Buffer[] = []
  new ContentScanner(OPTIONS).scan(chunk, out)
  assert.deepEqual(out.map(String), ['one\r\n', '.two\r\nthree\r\n'])
  for (const piece of out) assert.equal(piece.buffer, chunk.buffer)
})
