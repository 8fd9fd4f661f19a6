import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatManifest, isBackupPath, type Manifest, parseManifest, parseManifestHead } from './manifest.ts'

const name = fc.stringMatching(/^[A-Za-z0-9_@+-][A-Za-z0-9._@+-]{0,20}$/)
const plain = { noNullPrototype: true } as const
const file = fc.record(
  {
    path: fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/')),
    sizeBytes: fc.nat(2 ** 31 - 1),
    sha256: fc.string().map((text) => hash('sha256', text)),
  },
  plain,
)
const info = fc.record(
  {
    version: fc.string(),
    schema: fc.nat(),
    server: fc.string({ unit: 'binary' }),
    createdMs: fc.nat(2 ** 31 - 1),
    messages: fc.nat(),
    damaged: fc.array(fc.string({ unit: 'binary' })),
  },
  plain,
)
const manifest: fc.Arbitrary<Manifest> = fc.record({ info, files: fc.array(file, { maxLength: 20 }) }, plain)

const EXAMPLE: Manifest = {
  info: { version: '1.2.3', schema: 1, server: 'mail.example.test', createdMs: 5, messages: 2, damaged: [] },
  files: [
    { path: 'data/hikyaku.db', sizeBytes: 4096, sha256: hash('sha256', 'a') },
    { path: 'data/bodies/0123456789abcdef0123456789abcdef', sizeBytes: 300_000, sha256: hash('sha256', 'b') },
  ],
}

test('round trip', () => {
  fc.assert(
    fc.property(manifest, (one) => {
      const text = formatManifest(one)
      assert.deepEqual(parseManifest(text), { ok: true, manifest: one })
      assert.deepEqual(parseManifestHead(text), one.info)
    }),
  )
})

test('cut at every byte it is not taken for a whole one', () => {
  const text = formatManifest(EXAMPLE)
  for (let length = 0; length < text.length; length++) {
    const read = parseManifest(text.slice(0, length))
    assert(!read.ok, `cut at ${length}`)
  }
})

test('with any octet changed it is refused', () => {
  const text = formatManifest(EXAMPLE)
  for (let at = 0; at < text.length; at++) {
    const other = text[at] === 'x' ? 'y' : 'x'
    const read = parseManifest(`${text.slice(0, at)}${other}${text.slice(at + 1)}`)
    assert(!read.ok, `changed at ${at}`)
  }
  assert(!parseManifest(`${text}more`).ok)
})

test('a newer format is named', () => {
  const read = parseManifest(formatManifest(EXAMPLE).replace('backup 1', 'backup 2'))
  assert(!read.ok)
  assert.match(read.problem, /has format 2, and this program knows format 1/)
})

test('no path leads out of the backup', () => {
  for (const path of [
    '../a',
    'data/../../a',
    '/etc/passwd',
    'a//b',
    '',
    '.',
    'data/.hidden',
    'a/',
    'a\0b',
    'a\nb',
    'a\u2028b',
    'a\\b',
  ])
    assert(!isBackupPath(path), path)
  for (const path of ['data/hikyaku.db', 'data/tls/own-ca.pem', 'config/my settings.toml', 'data/鍵.pem'])
    assert(isBackupPath(path), path)
  const { info } = EXAMPLE
  const evil = formatManifest({
    info,
    files: [{ path: '../../etc/passwd', sizeBytes: 1, sha256: hash('sha256', '') }],
  })
  const read = parseManifest(evil)
  assert(!read.ok)
  assert.match(read.problem, /names a file that no backup has/)
})
