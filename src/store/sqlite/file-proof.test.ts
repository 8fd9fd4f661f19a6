import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { PROVED_FILE_MS } from '../limits.ts'
import { bodyPath } from './body-files.ts'
import { FileProofs } from './file-proof.ts'

test('a proof is believed for its time by the clock that nobody sets, and then made anew', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-proof-'))
  try {
    const [content, file] = [Buffer.from('octets of a message'), 'ab'.repeat(16)]
    const write = (octets: Uint8Array): void => {
      mkdirSync(dirname(bodyPath(folder, file)), { recursive: true })
      writeFileSync(bodyPath(folder, file), octets)
    }
    write(content)
    const prefix = new Uint8Array(0)
    const needed = { index: 0, file, contentBytes: content.length, crc: crc32(content), prefix }
    let atMs = 5
    const proofs = new FileProofs(folder, () => atMs)
    assert.equal(await proofs.prove(needed), undefined)
    write(Buffer.from('octets of a massage'))
    // The wall clock is set back by years; ten minutes are ten minutes.
    t.mock.timers.enable({ apis: ['Date'], now: 0 })
    atMs += PROVED_FILE_MS - 1
    assert.equal(await proofs.prove(needed), undefined)
    atMs += 1
    assert.match((await proofs.prove(needed)) ?? '', /checksum .* does not match/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
