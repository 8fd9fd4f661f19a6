import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { type CertificateOptions, loadCertificate, ServerCertificate } from './certificate.ts'
import { readGiven } from './given.ts'
import { makeCa } from './own.ts'
import { exportKey } from './pem.ts'

const NOW = Date.UTC(2026, 5, 1)
const DAY = 86_400_000

interface Files {
  readonly data: string
  readonly key: string
  readonly certificate: string
}

/** Key and certificate of `mail.example.test`, as another program would have left them. */
function files(t: TestContext): Files {
  const data = mkdtempSync(path.join(tmpdir(), 'hikyaku-given-'))
  t.after(() => rmSync(data, { recursive: true, force: true }))
  const made = loadCertificate(
    { folder: path.join(data, 'maker'), caFile: path.join(data, 'ca.pem'), names: ['mail.example.test'] },
    NOW,
  )
  assert.ok(made.ok)
  const key = path.join(data, 'key.pem')
  const certificate = path.join(data, 'cert.pem')
  writeFileSync(key, made.certificate.keyPem, { mode: 0o600 })
  writeFileSync(certificate, made.certificate.chainPem)
  return { data, key, certificate }
}

function warnings(given: Files, names: readonly string[], nowMs = NOW): string {
  const read = readGiven(given, names, nowMs)
  assert.ok(read.ok, JSON.stringify(read))
  return read.warnings.join('\n')
}

function refusal(given: Files): string {
  const read = readGiven(given, ['mail.example.test'], NOW)
  assert.ok(!read.ok)
  return read.sentence
}

test('a given pair is used as it is; in any order, without the root and what is foreign', (t) => {
  const given = files(t)
  assert.equal(warnings(given, ['mail.example.test']), '')
  const leaf = readFileSync(given.certificate, 'utf8')
  const root = readFileSync(path.join(given.data, 'ca.pem'), 'utf8')
  const foreign = makeCa('foreign.test', NOW).certificate.toString()
  writeFileSync(given.certificate, foreign + root + leaf)
  const loaded = loadCertificate(
    { folder: '/nowhere', caFile: '/nowhere', names: ['mail.example.test'], given },
    NOW,
  )
  assert.ok(loaded.ok)
  assert.equal(loaded.certificate.source, 'given')
  assert.equal(loaded.certificate.chainPem, leaf)
  assert.equal(loaded.certificate.caPem, undefined)
})

test('what makes every handshake fail is refused, each with its sentence', (t) => {
  const given = files(t)
  writeFileSync(given.key, exportKey(makeCa('x.test', NOW).key))
  assert.match(refusal(given), /The key in .*key\.pem does not belong to any certificate in .*cert\.pem/)
  writeFileSync(given.key, 'nothing')
  assert.match(refusal(given), /key\.pem has no private key in PEM form/)
  assert.match(
    refusal({ ...given, key: path.join(given.data, 'none.pem') }),
    /The TLS key .*none\.pem does not exist/,
  )
  assert.match(refusal({ ...given, key: given.data }), /is a folder/)
  writeFileSync(given.key, Buffer.alloc(300_000))
  assert.match(refusal(given), /300000 bytes, too many/)
})

test('what works for some only is a warning: expired, early, soon, a name, a key for all', (t) => {
  const given = files(t)
  const names = ['mail.example.test']
  assert.match(warnings(given, names, NOW + 400 * DAY), /expired on 2027-07-02/)
  assert.match(warnings(given, names, NOW - 2 * DAY), /is not valid before 2026-05-31/)
  assert.match(warnings(given, names, NOW + 393 * DAY), /expires on 2027-07-02; get a new one now/)
  assert.match(
    warnings(given, [...names, 'imap.example.test']),
    /does not have the name imap\.example\.test, only mail/,
  )
  chmodSync(given.key, 0o644)
  assert.match(warnings(given, names), /key\.pem has mode 0644: every user of this machine can read it/)
})

test('a given certificate that another program renewed is taken at the next look', (t) => {
  const given = files(t)
  const options: CertificateOptions = {
    folder: '/nowhere',
    caFile: '/nowhere',
    names: ['mail.example.test'],
    given,
  }
  const opened = ServerCertificate.open(options, NOW)
  assert.ok(opened.ok)
  assert.equal(opened.server.renewIfDue(NOW).kind, 'unchanged')
  const other = files(t)
  const before = opened.server.current
  writeFileSync(given.certificate, readFileSync(other.certificate))
  assert.equal(opened.server.renewIfDue(NOW).kind, 'failed')
  assert.equal(opened.server.current, before)
  writeFileSync(given.key, readFileSync(other.key))
  assert.equal(opened.server.renewIfDue(NOW).kind, 'renewed')
})

test('a key that the user of the server cannot read is one sentence with file, owner, mode and the fix', (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can run a child as another user')
  const given = files(t)
  chmodSync(given.data, 0o755)
  chownSync(given.key, 0, 0)
  const sentence = (key: string): string => asNobody(t, { ...given, key })
  assert.match(
    sentence(given.key),
    /^The TLS key \S+key\.pem can't be read by user \S+ \(uid 65534\): it belongs to root \(group root\) with mode 0600; run "chgrp \S+ \S+key\.pem && chmod g\+r \S+key\.pem" as root\.$/,
  )
  // certbot: live/NAME/privkey.pem is a link into archive/, and both folders are 0700.
  const archive = path.join(given.data, 'archive')
  mkdirSync(archive, { mode: 0o700 })
  writeFileSync(path.join(archive, 'privkey1.pem'), readFileSync(given.key), { mode: 0o644 })
  symlinkSync('archive/privkey1.pem', path.join(given.data, 'privkey.pem'))
  assert.match(
    sentence(path.join(given.data, 'privkey.pem')),
    /privkey\.pem can't be read by user \S+ \(uid 65534\), because of \S+archive: it belongs to root \(group root\) with mode 0700; run "chgrp \S+ \S+archive && chmod g\+x/,
  )
})

/** Reads the pair as uid 65534 and returns the sentence, or what came instead. */
function asNobody(t: TestContext, given: Files): string {
  const script = `
    import { readGiven } from ${JSON.stringify(path.join(import.meta.dirname, 'given.ts'))}
    const read = readGiven(${JSON.stringify(given)}, ['mail.example.test'], ${NOW})
    process.stdout.write(read.ok ? 'it was read' : read.sentence)`
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    uid: 65_534,
    gid: 65_534,
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
    encoding: 'utf8',
  })
  if (child.error !== undefined || child.status !== 0) {
    t.diagnostic(child.stderr ?? '')
    assert.fail(`the child did not run: ${child.error?.message ?? child.stderr}`)
  }
  return child.stdout
}
