import assert from 'node:assert/strict'
import { createHash, verify } from 'node:crypto'
import { test } from 'node:test'
import { makeMessage, stampId } from './load/message.ts'
import { makeAuthor, recordsOf, signatureBytes, signMessage } from './signed.ts'

test('a signature has always the same length, and stays when an id is stamped', () => {
  const author = makeAuthor(53)
  const message = makeMessage(1, 4096)
  const signed = signMessage(message, author)
  assert.equal(signed.length, message.length + signatureBytes(author))
  stampId(signed, 42)
  assert.match(signed.toString('latin1'), /^DKIM-Signature: v=1; [\s\S]*\r\nMessage-ID: <000000000042\./)
  const key = Object.values(recordsOf(author)).find((record) => record.startsWith('v=DKIM1'))
  assert.ok(key?.endsWith(author.publicKey))
})

test('what is signed verifies by the words of rfc6376', () => {
  const author = makeAuthor(53)
  const text = signMessage(makeMessage(2, 2048), author).toString('latin1')
  const [header = '', body = ''] = [
    text.slice(0, text.indexOf('\r\n\r\n')),
    text.split('\r\n\r\n').slice(1).join('\r\n\r\n'),
  ]
  const relaxed = body.replace(/[ \t]+/g, ' ').replace(/ \r\n/g, '\r\n')
  const unfolded = header.replace(/\r\n /g, ' ').split('\r\n')
  const field = unfolded[0] ?? ''
  assert.ok(field.includes(`bh=${createHash('sha256').update(relaxed, 'latin1').digest('base64')};`))
  const [, b = ''] = /; b=(.*)$/.exec(field) ?? []
  const names = /h=([^;]*);/.exec(field)?.[1]?.split(':') ?? []
  const lines = names.map((name) => {
    const line = unfolded.findLast((each) => each.toLowerCase().startsWith(`${name}:`)) ?? ''
    return `${name}:${line
      .slice(name.length + 1)
      .replace(/\s+/g, ' ')
      .trim()}\r\n`
  })
  const own = `dkim-signature:${field.slice(15).replace(b, '').replace(/\s+/g, ' ').trim()}`
  const key = { key: Buffer.from(author.publicKey, 'base64'), format: 'der', type: 'spki' } as const
  const signature = Buffer.from(b.replaceAll(' ', ''), 'base64')
  assert.ok(verify('sha256', Buffer.from(lines.join('') + own, 'latin1'), key, signature))
})
