import { Bug } from '../src/mail/assert.ts'
import { parsePhc } from '../src/protocol/sasl/password-hash.ts'
import { formatPlain, parsePlain } from '../src/protocol/sasl/plain.ts'
import {
  formatServerFirst,
  parseClientFinal,
  parseClientFirst,
  parseServerFinal,
  parseServerFirst,
} from '../src/protocol/sasl/scram-message.ts'
import { readInitialResponse, readResponse, writeChallenge } from '../src/protocol/sasl/wire.ts'

/** Every parser of SASL on any octets: what is read must be what is written again. */
export const name = 'sasl-messages'

export const corpus: readonly string[] = [
  'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  'p=tls-server-end-point,a=x=3D,n=x=3D,r=r,x=y',
  'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  'c=biws,r=abc,x=y,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  'e=invalid-proof',
  '\u0000user\u0000password',
  'AGEAYg==',
  '$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
]

export function fuzz(input: Uint8Array): void {
  const text = Buffer.from(input).toString('latin1')
  const first = parseClientFirst(input)
  if (first !== undefined) same(Buffer.from(first.gs2Header + first.bare), input)
  const final = parseClientFinal(input)
  if (final !== undefined) {
    const proof = Buffer.from(final.proof).toString('base64')
    same(Buffer.from(`${final.withoutProof},p=${proof}`), input)
  }
  const serverFirst = parseServerFirst(input)
  if (serverFirst !== undefined && !text.startsWith(formatServerFirst(serverFirst)))
    throw new Bug('server-first is not what was read')
  parseServerFinal(input)
  const plain = parsePlain(input)
  if (plain !== undefined) same(formatPlain(plain), input)
  const response = readResponse(text)
  if (response.kind === 'response') same(Buffer.from(writeChallenge(response.bytes), 'latin1'), input)
  readInitialResponse(text)
  const phc = parsePhc(text)
  if (phc !== undefined && phc.params.memoryKib > 131_072) throw new Bug('a hash that asks for too much')
}

function same(written: Uint8Array, read: Uint8Array): void {
  if (!Buffer.from(written).equals(read)) throw new Bug('what is written is not what was read')
}
