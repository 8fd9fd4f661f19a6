import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { contentOf, testKey } from '../mailauth/signing.test-kit.ts'
import { runCommand } from './commands.ts'
import { startDns } from './dns.test-kit.ts'
import { startHouse } from './house.test-kit.ts'
import { serveOperations } from './server/control.ts'

/* `hikyaku check-message` as a person runs it, beside a running server. */

const key = testKey('shop.test', 's1', 'rsa-sha256')
const dns = await startDns({
  [key.record[0]]: key.record[1],
  'shop.test': 'v=spf1 ip4:198.51.100.7 -all',
  '_dmarc.shop.test': 'v=DMARC1; p=reject',
  'soft.test': 'v=spf1 -all',
  '_dmarc.soft.test': 'v=DMARC1; p=quarantine',
})
const house = await startHouse({
  dns: { servers: [dns.at], timeout: '5 s' },
  domains: { names: ['example.test', 'junk.test'] },
  quarantine: { junk_domains: ['junk.test'] },
  smtp: { max_message: '100 KiB' },
})
const control = await serveOperations(house.server.config.server.data, house.server)
assert.ok(control.ok, JSON.stringify(control))
after(async () => {
  await control.close()
  await house.stop()
  await dns.stop()
})

const LETTER = [
  'From: Shop <sales@shop.test>',
  'To: you@example.test',
  'Subject: your order',
  'Date: Tue, 24 Nov 2026 20:00:00 +0000',
  'Message-ID: <1@shop.test>',
  '',
  'It is on its way.',
  '',
].join('\r\n')

async function signed(letter = LETTER): Promise<string> {
  const content = contentOf(Buffer.from(letter))
  return `${await house.server.house.ports.mailAuth.sign(content, new Uint8Array(), [key])}${letter}`
}

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** @param words `FILE` stands for the file. */
async function check(content: string | undefined, words: string): Promise<Ran> {
  const file = join(house.folder, 'message.eml')
  if (content !== undefined) writeFileSync(file, content, 'latin1')
  const [out, err]: [string[], string[]] = [[], []]
  const io = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    readLine: async () => undefined,
    readAll: async () => Buffer.from(content ?? '', 'latin1'),
    askSecrets: async () => undefined,
  }
  const args = words.split(' ').map((word) => (word === 'FILE' ? file : word))
  const code = await runCommand(['--config', house.configFile, 'check-message', ...args], io)
  return { code, out: out.join('\n'), err: err.join('\n') }
}

async function told(content: string, words: string, parts: readonly (string | RegExp)[]): Promise<string> {
  const { code, out, err } = await check(content, words)
  assert.equal(code, 0, err)
  for (const part of parts)
    assert.ok(typeof part === 'string' ? out.includes(part) : part.test(out), `${part} in:\n${out}`)
  return out
}

const FORGER = 'FILE --ip 203.0.113.66 --helo pc.test --from sales@shop.test'

/** Nothing that could be found again: no mail, nothing held, no queue, no trace. */
async function nothingStored(login: string): Promise<void> {
  assert.deepEqual(await house.run('quarantine.list'), ['The quarantine is empty.'])
  assert.match((await house.run('queue.list')).join('\n'), /empty/)
  const shown = await house.server.run('mail.show', { account: login, mailbox: 'INBOX', uid: '1' })
  assert.ok(!shown.ok)
  for (const from of ['shop.test', 'soft.test'])
    assert.deepEqual(await house.server.house.ports.traces.find({ from, limit: 1 }), [])
  assert.deepEqual(house.logged('message.accepted'), [])
  assert.deepEqual(house.logged('message.refused'), [])
}

test('a genuine message, by its host and by its signature; with the line ends of any system', async () => {
  const { login } = await house.account()
  await told(LETTER, `FILE --ip 198.51.100.7 --helo out.shop.test --from sales@shop.test --to ${login}`, [
    /^It would be delivered to the mailbox\.$/m,
    'SPF pass',
    'DKIM none',
    /^Authentication-Results: mail\.example\.test;$/m,
    /^ spf=pass /m,
    'TXT of _dmarc.shop.test: v=DMARC1; p=reject',
  ])
  const letter = await signed()
  const mixed = letter.replace('\r\n\r\n', '\n\n')
  for (const ends of [letter, letter.replaceAll('\r\n', '\n'), mixed])
    await told(ends, FORGER, [/^It would be delivered to the mailbox\.$/m, 'SPF fail', 'DKIM pass'])
  await nothingStored(login)
})

test('a forged one is refused or held as its domain asks, and Junk where the recipient has that', async () => {
  const { login } = await house.account()
  await told(LETTER, FORGER, [
    /^It would be refused: 550 5\.7\.26 shop\.test asks to reject/m,
    'What was decided:',
    'SPF fail',
    'Nothing vouches for shop.test',
  ])
  const stale = (await signed(LETTER.replace('on its way', 'late'))).replace('late', 'on its way')
  await told(stale, FORGER, [/^It would be refused/m, 'DKIM fail'])
  const soft = LETTER.replaceAll('shop.test', 'soft.test')
  await told(soft, 'FILE --ip 203.0.113.66 --from <>', [/^It would be held in the quarantine\.$/m])
  await told(soft, 'FILE --ip 203.0.113.66 --from <> --to a@junk.test', [
    /^It would be delivered to Junk\.$/m,
  ])
  await nothingStored(login)
})

test('two From fields, and a header or size that is against the rules', async () => {
  const { login } = await house.account()
  const two = `From: Bank <pay@bank.test>\r\n${LETTER}`
  const out = await told(two, FORGER, [
    /^It would be refused: 554 5\.6\.0 2 From fields; RFC 5322 section 3\.6/m,
  ])
  assert.ok(out.includes('It was not checked for forgery: it had been decided on before.'), out)
  await told(LETTER.replace('way', 'w\0ay'), FORGER, [
    /^It would be refused: 554 5\.6\.0 The message holds NUL octets/m,
    'NUL',
  ])
  await told('', FORGER, [/^It would be refused: 554 5\.6\.0 No From field/m])
  await told(`${LETTER}${'x'.repeat(200_000)}\r\n`, FORGER, [/^It would be refused: 552 5\.3\.4 /m])
  await nothingStored(login)
})

test('it is judged wherever it comes from: this machine, IPv6, standard input', async () => {
  for (const ip of ['127.0.0.1', '::1', '2001:DB8::66', '::ffff:203.0.113.66'])
    await told(LETTER, `FILE --ip ${ip} --from sales@shop.test`, [/^It would be refused: 550/m])
  await told(LETTER, '- --ip 203.0.113.66 --from sales@shop.test', [/^It would be refused: 550/m])
})

test('the recipient need not exist, here or anywhere', async () => {
  const words = 'FILE --ip 198.51.100.7 --from sales@shop.test --to'
  for (const to of ['nobody@example.test', 'nobody@elsewhere.test'])
    await told(LETTER, `${words} ${to}`, [/^It would be delivered to the mailbox\.$/m])
})

test('what cannot be checked gets a sentence and the exit code', async () => {
  for (const [words, code, says] of [
    ['FILE --ip mail.shop.test', 1, /^"mail\.shop\.test" is no IP address; --ip names the client/],
    ['FILE --ip 203.0.113', 1, /^"203\.0\.113" is no IP address/],
    ['FILE', 1, /^Name the client that handed it in: `--ip ADDRESS`\.$/],
    ['FILE --ip 203.0.113.66 --from sales', 1, /^sales is no address; --from names the envelope sender/],
    ['FILE --ip 203.0.113.66 --to @', 1, /^@ is no address/],
    ['--ip 203.0.113.66', 2, /^FILE is missing\. Usage: hikyaku check-message FILE/],
    [`${join(house.folder, 'none.eml')} --ip 203.0.113.66`, 1, /none\.eml/],
    [`${house.folder} --ip 203.0.113.66`, 1, /hikyaku-house-.* is a folder, not a file\.$/],
  ] as const) {
    const ran = await check(LETTER, words)
    assert.equal(ran.code, code, `${words}: ${ran.out}${ran.err}`)
    assert.match(ran.err, says)
    assert.equal(ran.out, '')
    assert.ok(!/\n\s+at /.test(ran.err), ran.err)
  }
})
