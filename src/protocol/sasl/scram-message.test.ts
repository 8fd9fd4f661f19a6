import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ScramHash, saltedPassword } from './password-hash.ts'
import {
  formatClientFinalWithoutProof,
  formatClientFirstBare,
  formatGs2Header,
  formatServerFirst,
  parseClientFinal,
  parseClientFirst,
  parseServerFinal,
  parseServerFirst,
} from './scram-message.ts'
import { clientProof } from './scram-proof.ts'

interface Vector {
  readonly name: string
  readonly hash: ScramHash
  readonly messages: readonly [string, string, string, string]
}

const VECTORS: readonly Vector[] = [
  {
    name: 'rfc5802 §5',
    hash: 'SHA-1',
    messages: [
      'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
      'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
      'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
      'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
    ],
  },
  {
    name: 'rfc7677 §3',
    hash: 'SHA-256',
    messages: [
      'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
      'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    ],
  },
]

for (const { name, hash, messages } of VECTORS)
  test(`the exchange of ${name}`, () => {
    const first = parseClientFirst(Buffer.from(messages[0]))
    const challenge = parseServerFirst(Buffer.from(messages[1]))
    const final = parseClientFinal(Buffer.from(messages[2]))
    const end = parseServerFinal(Buffer.from(messages[3]))
    assert.ok(first && challenge && final && end?.kind === 'verifier')
    assert.equal(first.login, 'user')
    assert.equal(first.gs2Header, 'n,,')
    const salted = saltedPassword(Buffer.from('pencil'), { hash, ...challenge })
    const { proof, serverSignature } = clientProof(
      hash,
      salted,
      `${first.bare},${messages[1]},${final.withoutProof}`,
    )
    assert.deepEqual(Buffer.from(proof), Buffer.from(final.proof))
    assert.deepEqual(Buffer.from(serverSignature), Buffer.from(end.signature))
  })

test('attack 7c: cut at every byte, a message is refused, or is a whole shorter message', () => {
  const whole = VECTORS[1] as Vector
  const parsers = [parseClientFirst, parseServerFirst, parseClientFinal, parseServerFinal]
  for (const [i, parse] of parsers.entries()) {
    const message = whole.messages[i] as string
    assert.ok(parse(Buffer.from(message)))
    for (let cut = 0; cut < message.length; cut++) {
      const read = parse(Buffer.from(message.slice(0, cut)))
      if (read === undefined) continue
      // A nonce and a count end anywhere; base64 ends between two groups only, and a short proof matches nothing.
      assert.ok(i < 2 || (message.length - cut) % 4 === 0, `${i} cut at ${cut}`)
    }
  }
})

test('attack 7c: out of form', () => {
  const firsts = [
    '',
    ',,n=a,r=b',
    'n,n=a,r=b',
    'n,,n=a',
    'n,,r=b,n=a',
    'n,,n=,r=b',
    'n,,n=a,r=',
    'n,,m=x,n=a,r=b',
    'n,,n=a,r=b,m=x',
    'n,,n=a,r=b,x',
    'n,,n=a=,r=b',
    'n,,n=a=2c,r=b',
    'n,,n=a=41,r=b',
    'n,a=,n=a,r=b',
    'n,x,n=a,r=b',
    'p,,n=a,r=b',
    'p=,,n=a,r=b',
    'p=tls exporter,,n=a,r=b',
    'q,,n=a,r=b',
    'n,,n=a,r=\u00e4',
    'n,,n=a,r=b\0',
    'n,,n=a\nb,r=b',
    `n,,n=${'a'.repeat(321)},r=b`,
    `n,,n=a,r=${'b'.repeat(257)}`,
    `n,,n=a,r=b,x=${'y'.repeat(5000)}`,
  ]
  for (const text of firsts) assert.equal(parseClientFirst(Buffer.from(text)), undefined, text)
  assert.equal(
    parseClientFirst(Buffer.from([0x6e, 0x2c, 0x2c, 0x6e, 0x3d, 0xff, 0x2c, 0x72, 0x3d, 0x62])),
    undefined,
  )
  const finals = [
    'c=biws,p=AAAA',
    'r=a,c=biws,p=AAAA',
    'c=biws,r=a,p=AAAA,x=y',
    'c=biws,r=a,p=AA,p=AAAA',
    'c=,r=a,p=AAAA',
  ]
  for (const text of [
    ...finals,
    'c=biw,r=a,p=AAAA',
    'c=biws,r=a,p=AAA',
    'c=biws,r=a,m=x,p=AAAA',
    'c=biws,r=a,p=AAB=',
  ])
    assert.equal(parseClientFinal(Buffer.from(text)), undefined, text)
})

test('optional extensions are skipped and still signed', () => {
  assert.equal(parseClientFirst(Buffer.from('n,,n=a,r=b,x=1,y=2'))?.bare, 'n=a,r=b,x=1,y=2')
  assert.equal(parseClientFinal(Buffer.from('c=biws,r=a,x=1,p=AAAA'))?.withoutProof, 'c=biws,r=a,x=1')
  assert.deepEqual(parseServerFinal(Buffer.from('e=bad\u001bname')), { kind: 'error', error: 'other-error' })
})

test('round trip: what is written is read back', () => {
  const name = fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom(...'abAZ,=2C3D@.Ä漢🙂 ') })
  const nonce = fc.string({ minLength: 1, maxLength: 60, unit: fc.constantFrom(...'abcXYZ0189+/=-%$!~') })
  const octets = fc.uint8Array({ minLength: 1, maxLength: 40 })
  const flag = fc.constantFrom(
    { kind: 'n' } as const,
    { kind: 'y' } as const,
    { kind: 'p', binding: 'tls-exporter' } as const,
  )
  fc.assert(
    fc.property(
      name,
      fc.option(name, { nil: undefined }),
      nonce,
      octets,
      octets,
      flag,
      (login, authzid, r, salt, proof, gs2) => {
        const header = formatGs2Header(gs2, authzid)
        const bare = formatClientFirstBare(login, r)
        const first = parseClientFirst(Buffer.from(header + bare))
        assert.deepEqual(first, { flag: gs2, authzid, login, nonce: r, gs2Header: header, bare })
        const serverFirst = { nonce: r, salt: Buffer.from(salt), iterations: 4096 }
        assert.deepEqual(parseServerFirst(Buffer.from(formatServerFirst(serverFirst))), serverFirst)
        const withoutProof = formatClientFinalWithoutProof(salt, r)
        const final = parseClientFinal(
          Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`),
        )
        assert.deepEqual(final, {
          channelBinding: Buffer.from(salt),
          nonce: r,
          proof: Buffer.from(proof),
          withoutProof,
        })
      },
    ),
  )
})
