import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dkimBody } from 'mailauth/lib/dkim/body/index.js'
import { BodyHash, BodyHashes, CanonicalBody } from './body-hash.ts'

function canonical(how: 'simple' | 'relaxed', pieces: readonly string[]): string {
  const out: string[] = []
  const body = new CanonicalBody(how, (octets) => out.push(Buffer.from(octets).toString('latin1')))
  for (const piece of pieces) body.update(Buffer.from(piece, 'latin1'))
  body.end()
  return out.join('')
}

test('bodies in both forms, cut at every byte', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['', '\r\n', ''],
    ['\r\n', '\r\n', ''],
    ['\r\n\r\n', '\r\n', ''],
    [' \r\n\t\r\n', ' \r\n\t\r\n', ''],
    ['a', 'a\r\n', 'a\r\n'],
    ['a\n', 'a\r\n', 'a\r\n'],
    ['a\r\n\r\n\r\n', 'a\r\n', 'a\r\n'],
    // rfc6376 §3.4.5.
    [' C \r\nD \t E\r\n\r\n\r\n', ' C \r\nD \t E\r\n', ' C\r\nD E\r\n'],
    ['a \r b\r\r\n', 'a \r b\r\r\n', 'a \r b\r\r\n'],
    ['a\r', 'a\r\r\n', 'a\r\r\n'],
    ['\r\n\r\na\n\nb  ', '\r\n\r\na\r\n\r\nb  \r\n', '\r\n\r\na\r\n\r\nb\r\n'],
  ]
  for (const [body, simple, relaxed] of cases) {
    for (const [how, expected] of [
      ['simple', simple],
      ['relaxed', relaxed],
    ] as const) {
      assert.equal(canonical(how, [body]), expected, JSON.stringify([how, body]))
      assert.equal(canonical(how, body.split('')), expected, JSON.stringify([how, body]))
      for (let at = 1; at < body.length; at++) {
        assert.equal(canonical(how, [body.slice(0, at), body.slice(at)]), expected)
      }
    }
  }
})

test('each body hashes as mailauth hashes it, wherever it is cut and whatever l= says', () => {
  const piece = fc.string({
    unit: fc.constantFrom('a', 'b', ' ', '\t', '\r\n', '\r\n', '\r', '.'),
    maxLength: 60,
  })
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 6 }),
      fc.boolean(),
      fc.option(fc.nat(80)),
      (pieces, relaxed, limit) => {
        const how = relaxed ? 'relaxed' : 'simple'
        const whole = Buffer.from(pieces.join(''), 'latin1')
        const theirs = dkimBody(how, 'sha256', limit ?? false)
        theirs.update(whole)
        const hashes = new BodyHashes()
        const ours = new BodyHash('sha256', limit ?? undefined)
        hashes.add(how, ours)
        for (const one of pieces) hashes.update(Buffer.from(one, 'latin1'))
        hashes.end()
        assert.equal(ours.digest('base64'), theirs.digest('base64'))
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a line of 25 MB and as many empty lines are canonicalised in one pass', () => {
  const line = Buffer.alloc(64 * 1024, 'x')
  const ends = Buffer.from('\r\n'.repeat(32 * 1024), 'latin1')
  for (const piece of [line, ends]) {
    let octets = 0
    const body = new CanonicalBody('relaxed', ({ length }) => {
      octets += length
    })
    for (let i = 0; i < 400; i++) body.update(piece)
    body.update(Buffer.from('end'))
    body.end()
    assert.equal(octets, 400 * 64 * 1024 + 5)
  }
})
