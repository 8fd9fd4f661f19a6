import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadCertificate } from './certificate.ts'
import { certificateRequest } from './csr.ts'
import { installChain } from './install.ts'
import { KeyFolder } from './key-folder.ts'
import { installationSecret } from './secret.ts'

const NAMES = ['mail.example.test', 'imap.example.test', '192.0.2.25']

interface Rig {
  readonly data: string
  readonly tls: string
  /** Signs a request as the CA on another machine would: openssl, with an intermediate CA. */
  sign(
    request: string,
    extensions?: string,
  ): { readonly leaf: string; readonly issuer: string; readonly root: string }
  install(chain: string, names?: readonly string[]): ReturnType<typeof installChain>
}

function rig(t: TestContext): Rig | undefined {
  try {
    execFileSync('openssl', ['version'])
  } catch {
    t.skip('openssl is not on PATH')
    return undefined
  }
  const data = mkdtempSync(path.join(tmpdir(), 'hikyaku-install-'))
  t.after(() => rmSync(data, { recursive: true, force: true }))
  const at = (name: string): string => path.join(data, name)
  const openssl = (...args: string[]): string => execFileSync('openssl', args, { stdio: 'pipe' }).toString()
  const ca = (name: string): string[] => [
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    at(`${name}.key`),
    '-subj',
    `/CN=${name}`,
  ]
  openssl('req', '-x509', ...ca('root'), '-out', at('root.pem'), '-days', '30')
  openssl('req', ...ca('middle'), '-out', at('middle.csr'))
  const signed = (csr: string, by: string, extensions: string): string => {
    writeFileSync(at('ext'), extensions)
    const how = [
      '-CA',
      at(`${by}.pem`),
      '-CAkey',
      at(`${by}.key`),
      '-CAcreateserial',
      '-days',
      '20',
      '-extfile',
      at('ext'),
    ]
    return openssl('x509', '-req', '-in', csr, ...how)
  }
  const middle = signed(at('middle.csr'), 'root', 'basicConstraints=critical,CA:TRUE')
  writeFileSync(at('middle.pem'), middle)
  const root = openssl('x509', '-in', at('root.pem'))
  const all = 'subjectAltName=DNS:mail.example.test,DNS:imap.example.test,IP:192.0.2.25'
  return {
    data,
    tls: at('tls'),
    sign(request, extensions = all) {
      writeFileSync(at('request.csr'), request)
      return { leaf: signed(at('request.csr'), 'middle', extensions), issuer: middle, root }
    },
    install: (chain, names = NAMES) => installChain(at('tls'), { chain, names, nowMs: Date.now() }),
  }
}

function request(tls: string, newKey = false): string {
  const made = certificateRequest(tls, { names: NAMES, newKey })
  assert.ok(made.ok)
  return made.pem
}

test('a request has the names and verifies; the answer is put in force', (t) => {
  const all = rig(t)
  if (all === undefined) return
  const made = certificateRequest(all.tls, { names: NAMES })
  assert.ok(made.ok && !made.sameKey)
  const shown = execFileSync('openssl', ['req', '-verify', '-noout', '-text'], {
    input: made.pem,
    stdio: 'pipe',
  }).toString()
  assert.match(shown, /Subject: CN = mail\.example\.test\n/)
  assert.match(shown, /DNS:mail\.example\.test, DNS:imap\.example\.test, IP Address:192\.0\.2\.25\n/)
  assert.match(shown, /TLS Web Server Authentication/)
  const { leaf, issuer, root } = all.sign(made.pem)
  const installed = all.install(root + issuer + leaf)
  assert.ok(installed.ok, JSON.stringify(installed))
  assert.deepEqual(installed.names, NAMES)
  assert.equal(installed.chainLength, 3)
  assert.deepEqual(installed.notes, [])
  assert.deepEqual(readdirSync(all.tls), ['installed.pem'])
  const loaded = loadCertificate(
    { folder: all.tls, caFile: path.join(all.data, 'x'), names: NAMES },
    Date.now(),
  )
  assert.ok(loaded.ok)
  assert.equal(loaded.certificate.source, 'installed')
  assert.equal(loaded.certificate.chainPem, leaf + issuer)
  // The CA may send a longer chain later: the key in force is known too.
  assert.ok(all.install(leaf + issuer).ok)
})

test('a second request keeps the key of the first, so either answer fits; another key only when asked', (t) => {
  const all = rig(t)
  if (all === undefined) return
  const first = request(all.tls)
  const again = certificateRequest(all.tls, { names: NAMES })
  assert.ok(again.ok && again.sameKey)
  const answer = all.sign(first)
  const other = certificateRequest(all.tls, { names: NAMES, newKey: true })
  assert.ok(other.ok && !other.sameKey)
  const late = all.install(answer.leaf)
  assert.ok(!late.ok && /None of the certificates is for the key of our request/.test(late.sentence))
})

test('what does not fit is refused and nothing is written', (t) => {
  const all = rig(t)
  if (all === undefined) return
  const none = all.install(all.sign(request(all.tls)).leaf.replace(/A/, 'B'))
  assert.ok(!none.ok)
  const pem = request(all.tls)
  const refusal = (extensions: string, names = NAMES): string => {
    const installed = all.install(all.sign(pem, extensions).leaf, names)
    assert.ok(!installed.ok)
    return installed.sentence
  }
  assert.match(
    refusal('subjectAltName=DNS:mail.example.test'),
    /does not have the name imap\.example\.test, 192\.0\.2\.25, only mail/,
  )
  assert.match(refusal('basicConstraints=CA:TRUE'), /is one of a CA/)
  assert.match(
    refusal('subjectAltName=DNS:m.test\nextendedKeyUsage=clientAuth', ['m.test']),
    /is not for servers/,
  )
  const { leaf } = all.sign(pem)
  const late = installChain(all.tls, { chain: leaf, names: NAMES, nowMs: Date.now() + 30 * 86_400_000 })
  assert.ok(!late.ok && /The certificate expired on/.test(late.sentence))
  assert.deepEqual(readdirSync(all.tls), ['request.pem'])
  const alone = all.install(leaf)
  assert.ok(alone.ok && /has no certificate of the issuer \(CN=middle\)/.test(alone.notes.join()))
})

test('an answer without a request', (t) => {
  const all = rig(t)
  if (all === undefined) return
  const { leaf } = all.sign(request(path.join(all.data, 'elsewhere')))
  const installed = all.install(leaf)
  assert.ok(!installed.ok && /No request is open/.test(installed.sentence))
})

test('the secret of the installation stays the same', (t) => {
  const data = mkdtempSync(path.join(tmpdir(), 'hikyaku-secret-'))
  t.after(() => rmSync(data, { recursive: true, force: true }))
  const secret = (): string => {
    const opened = KeyFolder.open(path.join(data, 'tls'))
    assert.ok(opened.ok)
    const read = installationSecret(opened.folder)
    assert.ok(read.ok)
    return Buffer.from(read.secret).toString('hex')
  }
  const first = secret()
  assert.match(first, /^[0-9a-f]{64}$/)
  assert.equal(secret(), first)
  writeFileSync(path.join(data, 'tls', 'secret'), 'damaged')
  assert.notEqual(secret(), first)
})
