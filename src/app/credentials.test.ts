import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Account, startHouse } from './house.test-kit.ts'

const house = await startHouse()
after(() => house.stop())

/** Tries a password; @returns the answer and how long it took, ms. */
async function tryImap(
  account: Account,
  password: string,
  from: string,
): Promise<{ answer: string; ms: number }> {
  const wire = await house.open({ port: 'imaps', proxied: from })
  await wire.line()
  const before = performance.now()
  wire.send(`a LOGIN ${account.login} "${password}"\r\n`)
  const answer = await wire.line()
  wire.socket.destroy()
  return { answer, ms: performance.now() - before }
}

async function trySmtp(account: Account, password: string, from: string): Promise<string> {
  const wire = await house.open({ port: 'submissions', proxied: from })
  await wire.line()
  wire.send('EHLO x\r\n')
  while (!/^250 /.test(await wire.line()));
  wire.send(`AUTH PLAIN ${Buffer.from(`\0${account.login}\0${password}`).toString('base64')}\r\n`)
  const answer = await wire.line()
  wire.socket.destroy()
  return answer
}

test('attack 28a: D11-D13: one budget over connections and protocols; an address that has worked is not locked out', async () => {
  const me = await house.account()
  const home = '192.0.2.10'
  assert.match((await tryImap(me, me.password, home)).answer, /^a OK/)
  // A botnet guesses: each address once or twice, by IMAP and by SMTP in turn.
  const guesses = Array.from({ length: 11 }, (_, i) => i)
  for (const i of guesses) {
    const from = `203.0.113.${i}`
    if (i % 2 === 0)
      assert.match((await tryImap(me, `guess ${i}`, from)).answer, /^a NO \[AUTHENTICATIONFAILED\]/)
    else assert.match(await trySmtp(me, `guess ${i}`, from), /^535 5\.7\.8/)
  }
  // The next one, wherever it comes from and by whichever protocol, waits.
  const slow = await tryImap(me, 'one more', '198.51.100.1')
  assert.match(slow.answer, /^a NO/)
  assert.ok(slow.ms >= 900, `${slow.ms} ms`)
  // The owner at home is served at once all the while.
  const owner = await tryImap(me, me.password, home)
  assert.match(owner.answer, /^a OK/)
  assert.ok(owner.ms < 900, `${owner.ms} ms`)
})

test('an address that guesses at many accounts is slowed, its neighbours are not', async () => {
  const accounts = await Promise.all(Array.from({ length: 12 }, () => house.account()))
  for (const account of accounts.slice(0, 11)) await tryImap(account, 'guess', '203.0.113.99')
  const last = accounts[11] as Account
  const slow = await tryImap(last, 'guess', '203.0.113.99')
  assert.ok(slow.ms >= 900, `${slow.ms} ms`)
  const neighbour = await tryImap(last, last.password, '203.0.113.98')
  assert.match(neighbour.answer, /^a OK/)
  assert.ok(neighbour.ms < 900, `${neighbour.ms} ms`)
})

test('a new password is in force at once for both protocols, the old one is not', async () => {
  const me = await house.account()
  assert.match((await tryImap(me, me.password, '192.0.2.20')).answer, /^a OK/)
  const lines = await house.run('account.password', { address: me.login })
  const changed = lines.find((line) => line.startsWith('Password: '))?.slice('Password: '.length) ?? ''
  assert.match((await tryImap(me, me.password, '192.0.2.20')).answer, /^a NO/)
  assert.match(await trySmtp(me, me.password, '192.0.2.20'), /^535/)
  assert.match((await tryImap(me, changed, '192.0.2.20')).answer, /^a OK/)
  assert.match(await trySmtp(me, changed, '192.0.2.20'), /^235/)
  await house.run('account.remove', { address: me.login, withMail: true })
  assert.match((await tryImap(me, changed, '192.0.2.20')).answer, /^a NO \[AUTHENTICATIONFAILED\]/)
})

test('no password that was right or wrong is in an event of the log', async () => {
  const me = await house.account()
  await tryImap(me, 'a secret guess', '192.0.2.30')
  await trySmtp(me, 'a secret guess', '192.0.2.30')
  await tryImap(me, me.password, '192.0.2.30')
  const text = JSON.stringify(house.events)
  assert.ok(!text.includes('a secret guess') && !text.includes(me.password))
  assert.ok(!text.includes(Buffer.from(`\0${me.login}\0a secret guess`).toString('base64')))
})

test('a client that breaks its exchange off is in the log, whichever protocol it speaks', async () => {
  await house.play('imaps', 'S: * OK <*>\nC: a AUTHENTICATE LOGIN\nS: + <*>\nC: *\nS: a BAD <*>')
  await house.play(
    'submissions',
    'S: 220 <*>\nC: EHLO x\nS> 250 <*>\nC: AUTH LOGIN\nS: 334 <*>\nC: *\nS: 501 <*>',
  )
  const broken = house.logged('auth.failed').filter(({ fields }) => String(fields.cause).includes('broke'))
  assert.deepEqual(
    broken.map(({ fields }) => [fields.protocol, fields.mechanism]),
    [
      ['imap', 'LOGIN'],
      ['smtp', 'LOGIN'],
    ],
  )
})
