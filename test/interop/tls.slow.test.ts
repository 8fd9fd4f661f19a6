// Every TLS port proves itself to openssl, against our own CA, a given certificate, and across a reload.

import assert from 'node:assert/strict'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { peerCertificate } from '../harness/certs.ts'
import { openImapFlow } from '../harness/clients/imapflow.ts'
import { type SClientOptions, sClient } from '../harness/clients/s_client.ts'
import {
  below,
  configText,
  domain,
  localName,
  loginAt,
  ports,
  type Server,
  startServer,
} from '../harness/hikyaku.ts'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { type Ran, describe as told } from '../harness/run.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { until } from '../harness/until.ts'

interface TlsPort {
  readonly port: number
  readonly starttls?: 'smtp' | 'imap' | 'lmtp'
}

const lmtpPort = 2003
const tlsPorts: Record<string, TlsPort> = {
  mx: { port: ports.mx, starttls: 'smtp' },
  submission: { port: ports.submission, starttls: 'smtp' },
  submissions: { port: ports.submissions },
  imap: { port: ports.imap, starttls: 'imap' },
  imaps: { port: ports.imaps },
}

function assertVerified(ran: Ran): void {
  assert.equal(ran.code, 0, told(ran))
  assert.match(ran.stdout.toString(), /Verify return code: 0 \(ok\)/)
}

describe('TLS of a start without configuration', { timeout: 300_000 }, () => {
  let scratch: Scratch
  let server: Server

  before(async () => {
    needSlowNamespace()
    needPrograms('openssl')
    scratch = makeScratch('tls')
    server = await startServer({ folder: below(scratch.folder, 'server') })
  })

  after(async () => {
    await server?.stop()
    scratch?.remove()
  })

  const ask = (at: TlsPort, more: Partial<SClientOptions> = {}) =>
    sClient({ host: '127.0.0.1', name: localName, caFile: server.caFile, ...at, ...more })

  for (const [name, at] of Object.entries(tlsPorts)) {
    test(`${name} verifies against ca.pem, by TLS 1.3 and 1.2`, async () => {
      for (const version of ['tls1_3', 'tls1_2'] as const) {
        const ran = await ask(at, { version })
        assertVerified(ran)
        assert.match(ran.stdout.toString(), version === 'tls1_3' ? /TLSv1\.3/ : /TLSv1\.2/)
      }
    })

    test(`${name} is refused for another name, another CA and an old TLS`, async () => {
      const { caFile } = await peerCertificate(below(scratch.folder, `other-${name}`), [localName])
      assert.notEqual((await ask(at, { name: 'other.example' })).code, 0)
      assert.notEqual((await ask(at, { caFile })).code, 0)
      assert.notEqual((await ask(at, { version: 'tls1_1' })).code, 0)
    })
  }

  test('the certificate is for P-256, is not the CA, and its keys are for the server alone', async () => {
    const ran = await ask(tlsPorts.imaps ?? { port: 0 })
    const text = ran.stdout.toString()
    assert.match(text, /a:PKEY: id-ecPublicKey, 256 \(bit\)/)
    assert.ok(!readFileSync(server.caFile, 'utf8').includes('PRIVATE'))
  })
})

describe('TLS with a configuration', { timeout: 300_000 }, () => {
  let scratch: Scratch
  let server: Server | undefined

  before(() => {
    needSlowNamespace()
    needPrograms('openssl')
    scratch = makeScratch('tls')
  })

  after(async () => {
    await server?.stop()
    scratch?.remove()
  })

  test('our own certificate carries every configured name, also on LMTP', async () => {
    const names = [localName, `imap.${domain}`, '127.0.0.1']
    const listen = { lmtp: [`127.0.0.1:${lmtpPort}`] }
    const config = withListen(listen, { tls: { names } })
    const own = await startServer({
      folder: below(scratch.folder, 'own'),
      config,
      waitFor: [ports.imaps, lmtpPort],
    })
    try {
      const { caFile } = own
      for (const name of [`mail.${domain}`, localName, `imap.${domain}`]) {
        assertVerified(await sClient({ host: '127.0.0.1', port: ports.imaps, name, caFile }))
      }
      const lmtp = {
        host: '127.0.0.1',
        port: lmtpPort,
        starttls: 'lmtp',
        name: `mail.${domain}`,
        caFile,
      } as const
      assertVerified(await sClient(lmtp))
    } finally {
      await own.stop()
    }
  })

  test('a given certificate is served, and a new one after a reload, while a session goes on', async () => {
    const folder = below(scratch.folder, 'given')
    const first = await peerCertificate(below(scratch.folder, 'first'), [localName, `mail.${domain}`])
    const second = await peerCertificate(below(scratch.folder, 'second'), [localName, `mail.${domain}`])
    const certificate = join(folder, 'cert.pem')
    const key = join(folder, 'key.pem')
    const install = (from: { certFile: string; keyFile: string }) => {
      copyFileSync(from.certFile, certificate)
      copyFileSync(from.keyFile, key)
    }
    install(first)
    const config = configText({ tls: { certificate, key } })
    server = await startServer({ folder, config })
    const user = `someone@${domain}`
    const password = 'correct-Horse-battery-9'
    await server.cli(['account', 'add', user, '--password-stdin'], { input: `${password}\n` })
    const at = { host: '127.0.0.1', port: ports.imaps, name: localName }
    assertVerified(await sClient({ ...at, caFile: first.caFile }))
    const session = await openImapFlow({
      ...loginAt(server, { user, password }, 'imaps'),
      caFile: first.caFile,
    })
    try {
      await session.mailboxOpen('INBOX')
      install(second)
      server.process.kill('SIGHUP')
      await until('the new certificate', async () => {
        const ran = await sClient({ ...at, caFile: second.caFile })
        return ran.code === 0
      })
      // The connection from before is still there.
      await session.noop()
      assert.equal(session.usable, true)
      for (const { port, starttls } of Object.values(tlsPorts)) {
        const how = starttls ? { starttls } : {}
        assertVerified(await sClient({ ...at, port, ...how, caFile: second.caFile }))
      }
    } finally {
      await session.logout()
    }
  })
})

function withListen(listen: Record<string, string[]>, more: Parameters<typeof configText>[0]): string {
  const at = (port: number) => [`127.0.0.1:${port}`]
  return configText({
    ...more,
    listen: {
      mx: at(ports.mx),
      submission: at(ports.submission),
      submissions: at(ports.submissions),
      imap: at(ports.imap),
      imaps: at(ports.imaps),
      ...listen,
    },
  })
}
