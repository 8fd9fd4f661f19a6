import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  type CertificateOptions,
  loadCertificate,
  ServerCertificate,
  type TlsCertificate,
} from './certificate.ts'
import { LOOPBACK_NAMES } from './names.ts'

const NOW = Date.UTC(2026, 5, 1)
const DAY = 86_400_000

function temporary(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'hikyaku-pki-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function optionsIn(data: string, names: readonly string[] = ['mail.example.test']): CertificateOptions {
  return { folder: path.join(data, 'tls'), caFile: path.join(data, 'ca.pem'), names }
}

function load(
  options: CertificateOptions,
  nowMs = NOW,
): TlsCertificate & { made: boolean; notes: readonly string[] } {
  const loaded = loadCertificate(options, nowMs)
  assert.ok(loaded.ok, JSON.stringify(loaded))
  return { ...loaded.certificate, made: loaded.made, notes: loaded.notes }
}

const mode = (file: string): string => (statSync(file).mode & 0o777).toString(8)
const hasOpenssl = (): boolean => {
  try {
    return execFileSync('openssl', ['version']).length > 0
  } catch {
    return false
  }
}

test('the first start makes a CA and a certificate with names and addresses', (t) => {
  const data = temporary(t)
  const names = ['mail.Example.test', 'bücher.example.test', '*.example.test', ...LOOPBACK_NAMES]
  const made = load(optionsIn(data, names))
  assert.equal(made.source, 'own')
  assert.deepEqual(made.names, [
    'mail.example.test',
    'xn--bcher-kva.example.test',
    '*.example.test',
    'localhost',
    '127.0.0.1',
    '::1',
  ])
  const leaf = new X509Certificate(made.chainPem)
  const ca = new X509Certificate(made.caPem ?? '')
  assert.ok(ca.ca && !leaf.ca)
  assert.ok(leaf.checkIssued(ca) && leaf.verify(ca.publicKey) && ca.verify(ca.publicKey))
  assert.equal(leaf.checkHost('mail.example.test', { subject: 'never' }), 'mail.example.test')
  assert.equal(leaf.checkHost('other.test', { subject: 'never' }), undefined)
  assert.equal(leaf.checkIP('::1'), '::1')
  assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  assert.equal(leaf.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  const days = (leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / DAY
  assert.ok(days <= 397, String(days))
  assert.equal(Math.round((ca.validToDate.getTime() - ca.validFromDate.getTime()) / DAY), 3650)
  assert.ok(/^[0-9A-F]{32}$/.test(leaf.serialNumber) && leaf.serialNumber !== ca.serialNumber)
  assert.deepEqual(Buffer.from(made.endPointHash), createHash('sha256').update(leaf.raw).digest())
  assert.equal(readFileSync(path.join(data, 'ca.pem'), 'utf8'), made.caPem)
})

test('openssl verifies the chain as strictly as it can', (t) => {
  if (!hasOpenssl()) return t.skip('openssl is not on PATH')
  const data = temporary(t)
  const made = load(optionsIn(data, ['mail.example.test', '127.0.0.1']), Date.now())
  const leaf = path.join(data, 'leaf.pem')
  writeFileSync(leaf, made.chainPem)
  const ca = path.join(data, 'ca.pem')
  const verify = (...args: string[]): string =>
    execFileSync(
      'openssl',
      ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', ca, ...args, leaf],
      {
        stdio: 'pipe',
      },
    ).toString()
  assert.match(verify('-verify_hostname', 'mail.example.test'), /OK/)
  assert.match(verify('-verify_ip', '127.0.0.1'), /OK/)
  assert.throws(() => verify('-verify_hostname', 'other.test'), /mismatch/)
  const text = execFileSync('openssl', ['x509', '-in', ca, '-noout', '-text']).toString()
  assert.match(text, /CA:TRUE, pathlen:0/)
  assert.match(text, /Key Usage: critical\s+Certificate Sign, CRL Sign/)
  const leafText = execFileSync('openssl', ['x509', '-in', leaf, '-noout', '-text']).toString()
  assert.match(leafText, /Key Usage: critical\s+Digital Signature\n/)
  assert.match(leafText, /TLS Web Server Authentication\n/)
  assert.match(leafText, /DNS:mail.example.test, IP Address:127.0.0.1\n/)
})

test('attack 29g: a second start keeps everything; 30 days before the end the certificate is renewed, the CA kept', (t) => {
  const data = temporary(t)
  const opened = ServerCertificate.open(optionsIn(data), NOW)
  assert.ok(opened.ok)
  const { server } = opened
  const first = server.current
  assert.equal(load(optionsIn(data)).chainPem, first.chainPem)
  assert.equal(server.renewIfDue(NOW + 365 * DAY).kind, 'unchanged')
  const renewed = server.renewIfDue(NOW + 367 * DAY)
  assert.ok(renewed.kind === 'renewed')
  assert.notEqual(renewed.certificate.keyPem, first.keyPem)
  assert.equal(renewed.certificate.caPem, first.caPem)
  assert.ok(server.current.notAfterMs > first.notAfterMs)
  assert.equal(server.renewIfDue(NOW + 367 * DAY).kind, 'unchanged')
})

test('other names make another certificate under the same CA', (t) => {
  const data = temporary(t)
  const first = load(optionsIn(data, ['a.test', 'b.test']))
  const second = load(optionsIn(data, ['a.test']))
  assert.ok(second.made)
  assert.deepEqual(second.names, ['a.test'])
  assert.equal(second.caPem, first.caPem)
  assert.ok(load(optionsIn(data, ['a.test', '192.0.2.1'])).made)
  assert.ok(!load(optionsIn(data, ['192.0.2.1', 'A.test'])).made)
})

test('in its last year the CA is spoken of; a certificate never outlives it; then there is another', (t) => {
  const data = temporary(t)
  const first = load(optionsIn(data))
  const late = load(optionsIn(data), NOW + 3_400 * DAY)
  assert.match(late.notes.join(), /CA expires on 2036-/)
  const ca = new X509Certificate(first.caPem ?? '')
  assert.equal(late.notAfterMs, ca.validToDate.getTime())
  const next = load(optionsIn(data), NOW + 3_640 * DAY)
  assert.notEqual(next.caPem, first.caPem)
  assert.equal(readFileSync(path.join(data, 'ca.pem'), 'utf8'), next.caPem)
})

test('modes: 0700 and 0600, 0644 for the CA; put right where they are wrong, and told', (t) => {
  const data = temporary(t)
  const options = optionsIn(data)
  const before = process.umask(0o077)
  load(options)
  process.umask(0)
  rmSync(path.join(options.folder, 'own-server.pem'))
  load(options)
  process.umask(before)
  const server = path.join(options.folder, 'own-server.pem')
  assert.equal(mode(options.folder), '700')
  for (const file of readdirSync(options.folder))
    assert.equal(mode(path.join(options.folder, file)), '600', file)
  assert.equal(mode(options.caFile), '644')
  chmodSync(options.folder, 0o755)
  chmodSync(server, 0o640)
  const { notes, made } = load(options)
  assert.equal(made, false)
  assert.match(notes.join('\n'), /tls had mode 0755; it was set to 0700/)
  assert.match(notes.join('\n'), /own-server.pem had mode 0640; it was set to 0600/)
  assert.equal(mode(options.folder), '700')
  assert.equal(mode(server), '600')
  assert.deepEqual(load(options).notes, [])
})

test('what root makes in the data folder of another user is that user’s; what it left behind is given to him', (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can give files away')
  const data = temporary(t)
  chownSync(data, 65_534, 65_534)
  const options = optionsIn(data)
  load(options)
  const owners = (): number[] =>
    ['tls', 'tls/own-ca.pem', 'tls/own-server.pem', 'ca.pem'].map(
      (name) => statSync(path.join(data, name)).uid,
    )
  assert.deepEqual(owners(), [65_534, 65_534, 65_534, 65_534])
  chownSync(path.join(data, 'tls/own-ca.pem'), 0, 0)
  assert.match(load(options).notes.join(), /own-ca\.pem belonged to root; it was given to/)
  assert.deepEqual(owners(), [65_534, 65_534, 65_534, 65_534])
  // That user himself can do nothing about files of root: it is said whose they are.
  chownSync(options.folder, 0, 0)
  const script = `
    import { loadCertificate } from ${JSON.stringify(path.join(import.meta.dirname, 'certificate.ts'))}
    const loaded = loadCertificate(${JSON.stringify(options)}, ${NOW})
    process.stdout.write(loaded.ok ? 'it was loaded' : loaded.sentence)`
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    uid: 65_534,
    gid: 65_534,
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    encoding: 'utf8',
  })
  assert.match(
    child.stdout,
    /^The folder \S+tls for keys can't be used by user \S+ \(uid 65534\): it belongs to root with mode 0700; run "chown -R \S+ \S+tls" as root\.$/,
    child.stderr,
  )
})

test('a damaged CA is never replaced in silence; a damaged server certificate is made again', (t) => {
  const data = temporary(t)
  const options = optionsIn(data)
  const first = load(options)
  writeFileSync(path.join(options.folder, 'own-server.pem'), 'garbage')
  assert.ok(load(options).made)
  const file = path.join(options.folder, 'own-ca.pem')
  const whole = readFileSync(file, 'utf8')
  for (const text of ['', 'garbage', whole.slice(0, 300), first.keyPem + first.chainPem]) {
    writeFileSync(file, text)
    const loaded = loadCertificate(options, NOW)
    assert.ok(!loaded.ok && loaded.sentence.includes(file), text)
    assert.match(loaded.sentence, /put it back from a backup, or remove it/)
    assert.equal(readFileSync(file, 'utf8'), text)
  }
  writeFileSync(file, whole)
  assert.equal(load(options).caPem, first.caPem)
})

test('a CA file that cannot be written is told and does not stop the server', (t) => {
  const data = temporary(t)
  const options = { ...optionsIn(data), caFile: path.join(data, 'missing', 'ca.pem') }
  assert.match(load(options).notes.join(), /missing\/ca\.pem can't be written/)
})

test('names that no certificate can have', (t) => {
  const data = temporary(t)
  for (const names of [[], ['a b.test'], ['a.test', 'x..test'], ['*.*.test'], ['*'], ['a'.repeat(64)]]) {
    const loaded = loadCertificate(optionsIn(data, names), NOW)
    assert.ok(!loaded.ok, names.join())
  }
  assert.deepEqual(readdirSync(data), [])
})

test('a folder that is no folder is one sentence', (t) => {
  const data = temporary(t)
  writeFileSync(path.join(data, 'tls'), '')
  const loaded = loadCertificate(optionsIn(data), NOW)
  assert.ok(!loaded.ok && /tls/.test(loaded.sentence))
  mkdirSync(path.join(data, 'd'))
  assert.ok(loadCertificate({ ...optionsIn(data), folder: path.join(data, 'd', 'deep', 'tls') }, NOW).ok)
})
