import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Chance } from './chance.ts'
import { DiskModel, type Fate, fates } from './disk-model.ts'
import type { LogRecord } from './write-log.ts'

type Step = Exclude<LogRecord, { kind: 'mark' }>
type Loose = Step extends infer One ? (One extends Step ? Omit<One, 'sequence'> : never) : never

function play(steps: readonly Loose[], counts?: (path: string) => boolean): DiskModel {
  const disk = new DiskModel(counts)
  steps.forEach((step, index) => {
    disk.apply({ ...step, sequence: index + 1 } as Step)
  })
  return disk
}

const open = (handle: number, path: string, more: Partial<Extract<Loose, { kind: 'open' }>> = {}): Loose => ({
  ...{ kind: 'open', handle, path, isNew: true, isEmptied: false, isFolder: false },
  ...more,
})
const write = (handle: number, offset: number, text: string): Loose => ({
  ...{ kind: 'write', handle, offset, octets: Buffer.from(text) },
})
const sync = (handle: number, covers: number): Loose => ({ kind: 'sync', handle, covers })
const root = open(9, '.', { isNew: false, isFolder: true })

/** What a file holds in many states; undefined: it is not there. */
function outcomes(disk: DiskModel, path: string, fate: Fate): ReadonlySet<string | undefined> {
  const base = mkdtempSync(join(tmpdir(), 'hikyaku-model-'))
  const seen = new Set<string | undefined>()
  try {
    for (let seed = 0; seed < 40; seed++) {
      const folder = join(base, String(seed))
      disk.writeState(folder, fate, new Chance(seed))
      const file = join(folder, path)
      seen.add(existsSync(file) ? readFileSync(file, 'latin1') : undefined)
    }
  } finally {
    rmSync(base, { recursive: true })
  }
  return seen
}

test('what was synced with its folder is there whatever happens', () => {
  const disk = play([open(1, 'a'), write(1, 0, 'text'), sync(1, 2), root, sync(9, 4)])
  for (const fate of fates) assert.deepEqual([...outcomes(disk, 'a', fate)], ['text'], fate)
})

test('without a sync of the folder the name may be gone', () => {
  const disk = play([open(1, 'a'), write(1, 0, 'text'), sync(1, 2)])
  assert.deepEqual([...outcomes(disk, 'a', 'none')], [undefined])
  assert.deepEqual([...outcomes(disk, 'a', 'all')], ['text'])
  assert.deepEqual(outcomes(disk, 'a', 'any'), new Set([undefined, 'text']))
})

test('without a sync of the file its octets may be gone, torn, or zeros', () => {
  const long = 'x'.repeat(2048)
  const disk = play([open(1, 'a'), write(1, 0, long), root, sync(9, 3)])
  assert.deepEqual([...outcomes(disk, 'a', 'none')], [''])
  const seen = outcomes(disk, 'a', 'any')
  assert.ok(seen.has(long) && seen.has(''))
  assert.ok([...seen].some((text) => text?.includes('x') && text.includes('\0')))
})

test('a sync covers what was written before it began, not what came while it ran', () => {
  const disk = play([open(1, 'a'), root, sync(9, 2), write(1, 0, 'one'), write(1, 3, 'two'), sync(1, 4)])
  assert.deepEqual([...outcomes(disk, 'a', 'none')], ['one'])
})

test('a rename is there whole or not at all', () => {
  const disk = play([
    open(1, 'new'),
    write(1, 0, 'text'),
    sync(1, 2),
    root,
    sync(9, 4),
    { kind: 'rename', path: 'new', to: 'old' },
  ])
  assert.deepEqual(outcomes(disk, 'old', 'any'), new Set([undefined, 'text']))
  assert.deepEqual([...outcomes(disk, 'old', 'all')], ['text'])
})

test('a removed file may come back', () => {
  const disk = play([open(1, 'a'), root, sync(9, 2), { kind: 'unlink', path: 'a' }])
  assert.deepEqual(outcomes(disk, 'a', 'any'), new Set([undefined, '']))
})

test('a sync that does not count makes nothing durable', () => {
  const disk = play([open(1, 'a'), write(1, 0, 'text'), sync(1, 2), root, sync(9, 4)], (path) => path !== 'a')
  assert.deepEqual([...outcomes(disk, 'a', 'none')], [''])
})
