// The harness itself: real peers against each other. When this fails, the fault is not the server's.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type PeerCertificate, peerCertificate } from './certs.ts'
import { samples, withCrlf } from './messages.ts'
import { type Postfix, startPostfix } from './postfix.ts'
import { needPrograms, needSlowNamespace } from './programs.ts'
import { makeScratch, type Scratch } from './scratch.ts'
import { openSendmail } from './sendmail.ts'

const port = 25025
const peer = 'mx.far.test'

describe('real peers', { timeout: 300_000 }, () => {
  let scratches: Scratch[] = []
  let certificate: PeerCertificate
  let receiver: Postfix

  const folder = (name: string) => {
    const made = makeScratch(name)
    scratches.push(made)
    return made.folder
  }

  before(async () => {
    needSlowNamespace()
    needPrograms('openssl', 'postfix', 'sendmail')
    scratches = []
    certificate = await peerCertificate(folder('cert'), [peer])
    const { certFile, keyFile } = certificate
    receiver = await startPostfix({
      folder: folder('receiver'),
      hostname: peer,
      receive: { address: '127.0.0.1', port, domains: ['far.test'], certFile, keyFile },
    })
  })

  after(async () => {
    await receiver?.stop()
    for (const scratch of scratches) scratch.remove()
  })

  test('Postfix sends to Postfix over verified TLS, byte for byte', async () => {
    const sender = await startPostfix({
      folder: folder('sender'),
      hostname: 'out.near.test',
      hosts: [`127.0.0.1 ${peer}`],
      send: { transport: `smtp:[${peer}]:${port}`, tls: 'secure', caFile: certificate.caFile },
    })
    try {
      for (const { bytes } of samples) await sender.submit('me@near.test', ['you@far.test'], bytes)
      const received = await receiver.untilReceived(samples.length)
      for (const { name, bytes } of samples) {
        const found = received.some((stored) => withCrlf(stored).subarray(-bytes.length).equals(bytes))
        assert.ok(found, `"${name}" did not arrive as it was`)
      }
      assert.match(sender.log(), /Verified TLS connection established to mx\.far\.test/)
    } finally {
      await sender.stop()
    }
  })

  test('Postfix keeps its mail when the certificate does not verify', async () => {
    const other = await peerCertificate(folder('other'), [peer])
    const sender = await startPostfix({
      folder: folder('doubter'),
      hostname: 'out.near.test',
      hosts: [`127.0.0.1 ${peer}`],
      send: { transport: `smtp:[${peer}]:${port}`, tls: 'secure', caFile: other.caFile },
    })
    try {
      await sender.submit('me@near.test', ['you@far.test'], Buffer.from('Subject: no\n\nno\n'))
      assert.match(await sender.untilLogged(/status=/), /status=deferred.*not verified/)
      assert.match(await sender.queue(), /you@far\.test/)
    } finally {
      await sender.stop()
    }
  })

  test('sendmail sends over verified TLS, and not over any other', async () => {
    const before = receiver.received().length
    const send = { protocol: 'smtp', host: peer, port, caFile: certificate.caFile } as const
    const hosts = [`127.0.0.1 ${peer}`]
    const sender = await openSendmail({ folder: folder('sendmail'), hostname: 'out.near.test', hosts, send })
    try {
      const ran = await sender.submit('me@near.test', ['you@far.test'], Buffer.from('Subject: yes\n\nyes\n'))
      assert.equal(ran.code, 0, ran.stdout.toString())
      assert.match(ran.stdout.toString(), />>> STARTTLS[\s\S]*Sent \(Ok/)
    } finally {
      await sender.stop()
    }
    await receiver.untilReceived(before + 1)
    const other = await peerCertificate(folder('other'), [peer])
    const doubter = await openSendmail({
      folder: folder('doubter'),
      hostname: 'out.near.test',
      hosts,
      send: { ...send, caFile: other.caFile },
    })
    try {
      const ran = await doubter.submit('me@near.test', ['you@far.test'], Buffer.from('Subject: no\n\nno\n'))
      assert.match(ran.stdout.toString(), /Deferred: .*authentication failed/)
      assert.match(await doubter.queue(), /you@far\.test/)
    } finally {
      await doubter.stop()
    }
    assert.equal(receiver.received().length, before + 1)
  })
})
