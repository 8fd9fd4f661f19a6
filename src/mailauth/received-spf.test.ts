import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatReceivedSpf } from './received-spf.ts'

test('the field names who checked, what, and the client', () => {
  assert.equal(
    formatReceivedSpf({
      spf: { result: 'softfail', domain: 'example.org', identity: 'mailfrom', why: '~all' },
      receiver: 'mx.example.com',
      client: '2001:db8::1',
      helo: 'out.example.org',
      envelopeFrom: 'a@example.org',
    }),
    'Received-SPF: softfail\r\n receiver=mx.example.com;\r\n identity=mailfrom;\r\n client-ip="2001:db8::1";\r\n' +
      ' helo=out.example.org;\r\n envelope-from="a@example.org"\r\n',
  )
})

test('property: what a peer writes stays inside of its value', () => {
  const word = fc.string({
    unit: fc.constantFrom('a', ';', '"', '\\', '(', ')', '=', '\r', '\n', '\0', ' ', 'é', '@', '.'),
  })
  fc.assert(
    fc.property(word, word, (helo, envelopeFrom) => {
      const field = formatReceivedSpf({
        spf: { result: 'fail', domain: 'example.org', identity: 'helo' },
        receiver: 'mx.example.com',
        client: '192.0.2.1',
        helo,
        envelopeFrom,
      })
      assert.match(
        field,
        /^Received-SPF: fail\r\n receiver=mx\.example\.com;\r\n identity=helo;\r\n client-ip=192\.0\.2\.1;\r\n helo=(?:"[^";\\\r\n=()]*"|[^";\\ \r\n=()]+);\r\n envelope-from=(?:"[^";\\\r\n=()]*"|[^";\\ \r\n=()]+)\r\n$/,
      )
    }),
  )
})
