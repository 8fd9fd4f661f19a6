import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contentNeeds } from './outbound-content.ts'

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text, 'latin1')
}

const CASES: readonly (readonly [string, boolean, boolean])[] = [
  ['Subject: x\r\n\r\nplain\r\n', false, false],
  ['Subject: x\r\n\r\n\xe9\r\n', true, false],
  ['Subject: \xe9\r\n\r\nplain\r\n', true, true],
  ['Subject: no end \xe9', true, true],
  ['', false, false],
]
for (const [text, eightBit, utf8Header] of CASES) {
  test(`${JSON.stringify(text)} is read alike, cut at every byte`, async () => {
    for (let cut = 0; cut <= text.length; cut++)
      assert.deepEqual(await contentNeeds(pieces(text.slice(0, cut), text.slice(cut))), {
        eightBit,
        utf8Header,
      })
    assert.deepEqual(await contentNeeds(pieces(...text)), { eightBit, utf8Header })
  })
}
