import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatPlain, parsePlain } from './plain.ts'

test('round trip: what is written is read back', () => {
  const unit = fc.constantFrom(...'ab@.Ä漢🙂 ,=')
  const name = fc.string({ minLength: 1, maxLength: 40, unit })
  fc.assert(
    fc.property(fc.string({ maxLength: 40, unit }), name, name, (authzid, authcid, password) => {
      assert.deepEqual(parsePlain(formatPlain({ authzid, authcid, password })), {
        authzid,
        authcid,
        password,
      })
    }),
  )
})

test('cut at every byte: refused, or the password is what is left', () => {
  const whole = Buffer.from('me@x.test\0me@x.test\0pässword')
  for (let cut = 0; cut < whole.length; cut++) {
    const read = parsePlain(whole.subarray(0, cut))
    if (read !== undefined) assert.ok('pässword'.startsWith(read.password) && cut > 20, String(cut))
  }
})
