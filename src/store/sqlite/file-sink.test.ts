import assert from 'node:assert/strict'
import fsPromises, { type FileHandle, mkdtemp, readdir, rm } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOM_CHECK_BYTES } from '../limits.ts'
import { FolderNames } from './body-files.ts'
import { FileSink } from './file-sink.ts'

/** A disk on which each file tells of an error when it is closed, as one on a network does. */
function breakClose(): () => void {
  const { open } = fsPromises
  fsPromises.open = async (...args) => {
    const handle = await open(...args)
    const close = async (): Promise<void> => {
      await handle.close()
      throw Object.assign(new Error('EIO: the disk says so'), { code: 'EIO' })
    }
    return {
      appendFile: (bytes: Uint8Array) => handle.appendFile(bytes),
      sync: () => handle.sync(),
      close,
    } as unknown as FileHandle
  }
  syncBuiltinESMExports()
  return () => {
    fsPromises.open = open
    syncBuiltinESMExports()
  }
}

test('a body file whose close fails is not kept', async () => {
  const path = await mkdtemp(join(tmpdir(), 'hikyaku-file-sink-'))
  const repair = breakClose()
  try {
    const folder = { path, names: new FolderNames(path), lowWater: { checkFile: () => undefined } }
    const whole = new FileSink(folder)
    await whole.write(Buffer.from('abc'))
    assert.deepEqual(await whole.finish(), { kind: 'io', cause: 'body file: EIO: the disk says so' })
    const given = new FileSink(folder)
    given.write(Buffer.from('abc'))
    await given.drop()
    assert.deepEqual(await readdir(path), [])
  } finally {
    repair()
    await rm(path, { recursive: true })
  }
})

test('attack 9a: octets one by one do not make the disk be asked for its room each time', async () => {
  const path = await mkdtemp(join(tmpdir(), 'hikyaku-file-sink-'))
  try {
    let asked = 0
    const checkFile = (): undefined => {
      asked++
    }
    const sink = new FileSink({ path, names: new FolderNames(path), lowWater: { checkFile } })
    const piece = Buffer.from('.\r\n')
    for (let i = 0; i < 100_000; i++) await sink.write(piece)
    assert.equal(await sink.finish(), undefined)
    assert.equal(asked, 1 + Math.floor((300_000 - 3) / (ROOM_CHECK_BYTES + 3)))
  } finally {
    await rm(path, { recursive: true })
  }
})
