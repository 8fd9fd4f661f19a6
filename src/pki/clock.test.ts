import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { type CertificateOptions, loadCertificate, type TlsCertificate } from './certificate.ts'

const NOW = Date.UTC(2026, 5, 1)
const DAY = 86_400_000

function optionsFor(t: TestContext): CertificateOptions {
  const data = mkdtempSync(path.join(tmpdir(), 'hikyaku-pki-clock-'))
  t.after(() => rmSync(data, { recursive: true, force: true }))
  return { folder: path.join(data, 'tls'), caFile: path.join(data, 'ca.pem'), names: ['mail.example.test'] }
}

function load(options: CertificateOptions, nowMs: number): TlsCertificate & { notes: readonly string[] } {
  const loaded = loadCertificate(options, nowMs)
  assert.ok(loaded.ok, JSON.stringify(loaded))
  return { ...loaded.certificate, notes: loaded.notes }
}

test('after a clock that was ten years ahead the CA that devices trust is used again', (t) => {
  const options = optionsFor(t)
  const first = load(options, NOW)
  const ahead = load(options, NOW + 3_700 * DAY)
  assert.notEqual(ahead.caPem, first.caPem)
  const back = load(options, NOW + DAY)
  assert.equal(back.caPem, first.caPem)
  assert.equal(readFileSync(options.caFile, 'utf8'), first.caPem, 'and is what people fetch')
  assert.ok(back.notBeforeMs <= NOW + DAY && back.notAfterMs > NOW + DAY)
  assert.ok(new X509Certificate(back.leafDer).checkIssued(new X509Certificate(first.caPem ?? '')))
  assert.equal(load(options, NOW + 2 * DAY).chainPem, back.chainPem, 'and stays')
})

test('a clock that says 1970 makes nothing new', (t) => {
  const options = optionsFor(t)
  load(options, NOW)
  const renewed = load(options, NOW + 380 * DAY)
  const dead = load(options, 0)
  assert.equal(dead.caPem, renewed.caPem)
  assert.equal(dead.chainPem, renewed.chainPem)
  assert.equal(load(options, NOW + 381 * DAY).chainPem, renewed.chainPem)
})

test('a first start in 1970 makes what is good then, and another when the clock is set', (t) => {
  const options = optionsFor(t)
  const dead = load(options, 0)
  assert.ok(dead.notBeforeMs < dead.notAfterMs)
  const set = load(options, NOW)
  assert.ok(set.notBeforeMs <= NOW && set.notAfterMs > NOW)
})

test('a renewal that cannot be kept is told, and the old certificate serves until it has ended', (t) => {
  const options = optionsFor(t)
  const first = load(options, NOW)
  // In the way of what is written first; root would write into a folder that is closed to others.
  mkdirSync(path.join(options.folder, '.own-server.pem.new'))
  const due = load(options, NOW + 380 * DAY)
  assert.equal(due.chainPem, first.chainPem)
  assert.match(
    due.notes.join(' '),
    /A new certificate is due and can't be kept: .*own-server\.pem can't be written/,
  )
  assert.match(due.notes.join(' '), /ends on 2027-07-0\d/)
  const over = loadCertificate(options, NOW + 400 * DAY)
  assert.ok(!over.ok)
  assert.match(over.sentence, /own-server\.pem can't be written/)
  rmSync(path.join(options.folder, '.own-server.pem.new'), { recursive: true })
  assert.ok(load(options, NOW + 400 * DAY).notAfterMs > NOW + 700 * DAY)
})
