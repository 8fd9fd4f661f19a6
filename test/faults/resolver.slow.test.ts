// A resolver that is slow, dead or lies: mail waits with the reason in its trace, and goes out once names are told.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { type Letter, sendLetter } from '../chain/session.ts'
import { type DnsServer, startDns } from '../harness/dns.ts'
import { below, domain, ports } from '../harness/hikyaku.ts'
import { needSlowNamespace } from '../harness/programs.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { until } from '../harness/until.ts'
import { addMe, faultedConfig, Imap, letter, mail, Smtp, startFaulted } from './faulted.ts'
import { lies, startLiar } from './liar.ts'

/** Takes every message; gives the recipients it took. */
async function startHost(t: TestContext): Promise<{ readonly port: number; readonly taken: string[] }> {
  const taken: string[] = []
  const server = createServer((socket) => {
    let isData = false
    socket.on('error', () => socket.destroy())
    socket.write('220 host.far.test\r\n')
    socket.on('data', (bytes: Buffer) => {
      for (const line of bytes.toString('latin1').split('\r\n').slice(0, -1)) {
        if (isData && line !== '.') continue
        const to = /^RCPT TO:<([^>]*)>/i.exec(line)?.[1]
        if (to !== undefined) taken.push(to)
        if (/^DATA/i.test(line)) socket.write('354 go\r\n')
        else socket.write(/^QUIT/i.test(line) ? '221 bye\r\n' : '250 ok\r\n')
        isData = /^DATA/i.test(line)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { port: (server.address() as { port: number }).port, taken }
}

describe('a resolver', { timeout: 300_000 }, () => {
  let scratch: Scratch
  let truth: DnsServer

  before(async () => {
    needSlowNamespace()
    scratch = makeScratch('resolver')
    const names = Object.keys(lies).flatMap((name) => [`${name}.test MX 10 host.test`])
    truth = await startDns({ zone: [...names, 'host.test A 127.0.0.1'].join('\n') })
  })

  after(async () => {
    await truth?.stop()
    scratch?.remove()
  })

  function configOf(ports: readonly number[], hostPort: number): string {
    return faultedConfig({
      dns: { servers: ports.map((port) => `127.0.0.1:${port}`), timeout: '300 ms' },
      outbound: { port: hostPort, retry_after: ['1 s'] },
    })
  }

  test('attack 29h: that lies or fails in any way: mail waits, nothing bounces, and a reload to another one sends it', async (t) => {
    const host = await startHost(t)
    const liar = await startLiar()
    t.after(() => liar.stop())
    const folder = below(scratch.folder, 'lies')
    const server = await startFaulted(t, { folder, config: configOf([liar.port], host.port) })
    await addMe(server)
    const all = Object.keys(lies).map((name) => `someone@${name}.test`)
    const smtp = await Smtp.open('submission')
    for (const to of all) assert.match(await smtp.submit(to), /^250 /, to)
    smtp.close()
    for (const to of all)
      await until(`an attempt for ${to}`, async () => {
        const traced = (await server.cli(['trace', '--to', to])).stdout.toString()
        return /4\.4\.3/.test(traced) && /DNS did not answer/.test(traced)
      })
    assert.match(await mail(letter('meanwhile')), /^250 /, 'mail comes in')
    const imap = await Imap.open()
    assert.deepEqual(await imap.subjects(), ['meanwhile'], 'nothing bounced')
    assert.deepEqual(host.taken, [])
    writeFileSync(join(folder, 'hikyaku.toml'), configOf([truth.port], host.port))
    const reloaded = await server.cli(['reload'])
    assert.equal(reloaded.code, 0, reloaded.stderr)
    assert.doesNotMatch(reloaded.stdout.toString(), /Only after a new start/)
    await until('all of it to go out', () => all.every((to) => host.taken.includes(to)))
    assert.equal(host.taken.length, all.length, 'each once')
    assert.deepEqual(await imap.subjects(), ['meanwhile'])
    imap.close()
    await server.stop()
  })

  test('attack 29h: that is not there costs nothing but time; the next one in the list is asked', async (t) => {
    const host = await startHost(t)
    const folder = below(scratch.folder, 'dead')
    const server = await startFaulted(t, { folder, config: configOf([1, truth.port], host.port) })
    await addMe(server)
    const smtp = await Smtp.open('submission')
    assert.match(await smtp.submit('someone@servfail.test'), /^250 /)
    smtp.close()
    await until('it to go out', () => host.taken.includes('someone@servfail.test'))
    await server.stop()
  })

  test('attack 13b: that names ourselves makes no loop: the sender is told at once why', async (t) => {
    const host = await startHost(t)
    const names = ['itself', 'inside'] as const
    truth.change(
      `itself.test MX 10 mail.${domain}\ninside.test MX 10 loopback.test\nloopback.test A 127.0.0.1`,
    )
    const folder = below(scratch.folder, 'itself')
    const config = faultedConfig({ dns: { servers: [`127.0.0.1:${truth.port}`] } })
    const server = await startFaulted(t, { folder, config })
    await addMe(server)
    const smtp = await Smtp.open('submission')
    for (const name of names) assert.match(await smtp.submit(`someone@${name}.test`), /^250 /)
    smtp.close()
    const imap = await Imap.open()
    await until('both reports', async () => (await imap.subjects()).length === names.length)
    const whole = (await imap.say('FETCH 1:* BODY.PEEK[]')).lines.join('\n')
    assert.match(whole, /5\.4\.6[^\n]*The mail server for itself\.test is this one/)
    assert.match(whole, /5\.4\.4[^\n]*No mail server of inside\.test has an address that can be reached/)
    assert.deepEqual(host.taken, [])
    imap.close()
    await server.stop()
  })

  test('that is not there puts off mail from other servers, and no other mail', async (t) => {
    const known = 'known.test TXT "v=spf1 ip4:127.0.0.2 -all"\n_dmarc.known.test TXT "v=DMARC1; p=reject"'
    truth.change(known)
    const folder = below(scratch.folder, 'inbound')
    const configWith = (port: number): string =>
      faultedConfig({
        dns: { servers: [`127.0.0.1:${port}`], timeout: '300 ms' },
        // Of the house, not of the world: 127.0.0.2 stands for another server.
        policy: { exempt_networks: ['127.0.0.1/32'] },
      })
    const server = await startFaulted(t, { folder, config: configWith(1) })
    await addMe(server)
    const fromServer = async (subject: string, from = 'someone@known.test'): Promise<string> => {
      const message = `From: ${from}\nDate: Tue, 24 Nov 2026 10:00:00 +0000\nMessage-ID: <${subject}@known.test>\nSubject: ${subject}\n\nx\n`
      const recipients = [`<me@${domain}>`]
      const one: Letter = { client: '127.0.0.2', helo: 'known.test', mail: `<${from}>`, recipients, message }
      const at = { by: 'address', client: one.client, host: '127.0.0.1', port: ports.mx } as const
      return (await sendLetter(at, one)).reply
    }
    assert.match(await fromServer('genuine'), /^451[ -]4\.7\.0 /)
    assert.match(await mail(letter('house')), /^250 /, 'a program of the house')
    assert.match(await mail(letter('front'), 'lmtp'), /^250 /, 'a server in front of ours')
    const smtp = await Smtp.open('submission')
    assert.match(await smtp.submit(`me@${domain}`), /^250 /, 'an account')
    smtp.close()
    writeFileSync(join(folder, 'hikyaku.toml'), configWith(truth.port))
    assert.equal((await server.cli(['reload'])).code, 0)
    assert.match(await fromServer('genuine'), /^250 /, 'it comes again')
    assert.match(await fromServer('disk full', 'root@nas.local'), /^550 5\.1\.8 /, 'a machine of the house')
    const exempt = configWith(truth.port).replace('127.0.0.1/32', '127.0.0.2/32')
    writeFileSync(join(folder, 'hikyaku.toml'), exempt)
    assert.equal((await server.cli(['reload'])).code, 0)
    assert.match(await fromServer('disk full', 'root@nas.local'), /^250 /, 'named as one')
    await server.stop()
  })
})
