import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { toPem } from './der.ts'
import { makeCa } from './own.ts'
import { exportKey, pemBlocks, readCertificates, readKey } from './pem.ts'

const NOW = Date.UTC(2026, 5, 1)

test('round trip: key and certificate of one file', () => {
  const { key, certificate } = makeCa('example.test', NOW)
  const text = `Bag Attributes\n${exportKey(key)}\nsubject=CN\n${certificate.toString()}trailing`
  const readBack = readKey(text)
  const certificates = readCertificates(text)
  assert.ok(readBack.ok && certificates.ok)
  assert.ok(readBack.key.equals(key))
  assert.ok(certificates.certificates[0]?.raw.equals(certificate.raw))
  assert.deepEqual(
    pemBlocks(text).map(({ label }) => label),
    ['PRIVATE KEY', 'CERTIFICATE'],
  )
})

test('cut at every byte, a certificate is none or damaged, and nothing throws', () => {
  const text = makeCa('example.test', NOW).certificate.toString().trimEnd()
  for (let cut = 0; cut < text.length; cut++) assert.ok(!readCertificates(text.slice(0, cut)).ok, String(cut))
  for (let cut = 1; cut < text.length; cut++) assert.ok(!readCertificates(text.slice(cut)).ok, String(cut))
})

test('what is wrong is said', () => {
  const problem = (read: ReturnType<typeof readKey> | ReturnType<typeof readCertificates>): string =>
    read.ok ? 'nothing' : read.problem
  assert.match(problem(readKey('')), /no private key in PEM form/)
  assert.match(problem(readKey(toPem('PRIVATE KEY', Buffer.from('nonsense')))), /damaged/)
  assert.match(problem(readKey(toPem('ENCRYPTED PRIVATE KEY', Buffer.from('x')))), /passphrase/)
  assert.match(problem(readCertificates('')), /no certificate/)
  assert.match(problem(readCertificates(toPem('CERTIFICATE', Buffer.from('x')))), /damaged/)
  const many = makeCa('example.test', NOW).certificate.toString().repeat(11)
  assert.match(problem(readCertificates(many)), /11 certificates/)
})

test('keys in the forms that openssl writes', (t) => {
  try {
    execFileSync('openssl', ['version'])
  } catch {
    return t.skip('openssl is not on PATH')
  }
  const openssl = (...args: string[]): string => execFileSync('openssl', args, { stdio: 'pipe' }).toString()
  assert.ok(readKey(openssl('ecparam', '-name', 'prime256v1', '-genkey')).ok)
  assert.ok(readKey(openssl('genrsa', '-traditional', '2048')).ok)
  assert.ok(readKey(openssl('genpkey', '-algorithm', 'ed25519')).ok)
  const old = readKey(openssl('genrsa', '-traditional', '-aes128', '-passout', 'pass:x', '2048'))
  assert.ok(!old.ok && /passphrase/.test(old.problem))
  const fresh = readKey(openssl('genrsa', '-aes128', '-passout', 'pass:x', '2048'))
  assert.ok(!fresh.ok && /passphrase/.test(fresh.problem))
})
