import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startDns } from './dns.test-kit.ts'
import { startHouse } from './house.test-kit.ts'

/* Exceptions from messages that were stopped: what is proposed, what it lets pass, and what it does not. */

const LIST_HOST = '203.0.113.80'
const FORWARDER = '203.0.113.81'
const dns = await startDns({
  'strict.test': 'v=spf1 ip4:198.51.100.1 -all',
  '_dmarc.strict.test': 'v=DMARC1; p=reject',
  'lists.test': `v=spf1 ip4:${LIST_HOST} -all`,
  'hostile.test': `v=spf1 ip4:${LIST_HOST} -all`,
  'forwarder.test': `v=spf1 ip4:${FORWARDER} -all`,
  '_dmarc.example.test': 'v=DMARC1; p=reject',
  'plain.test': `v=spf1 ip4:${LIST_HOST} -all`,
})
const house = await startHouse({ dns: { servers: [dns.at], timeout: '5 s' } })
after(async () => {
  await house.stop()
  await dns.stop()
})
const { login } = await house.account()

interface Letter {
  readonly client: string
  readonly from: string
  readonly author?: string
  readonly fields?: readonly string[]
}

let letters = 0
/** Hands it in. @returns the reply, and the id of its trace. */
async function send(letter: Letter): Promise<{ readonly reply: string; readonly id: string }> {
  const { client, from, author = 'boss@strict.test', fields = [] } = letter
  // The address says which message a trace is of.
  const sender = from.replace('@', `+${++letters}@`)
  const wire = await house.open({ port: 'mx', proxied: client })
  await wire.line()
  wire.send('EHLO out.test\r\n')
  while (!/^250 /.test(await wire.line()));
  for (const command of [`MAIL FROM:<${sender}>`, `RCPT TO:<${login}>`, 'DATA']) {
    wire.send(`${command}\r\n`)
    const line = await wire.line()
    assert.match(line, /^[23]/)
  }
  const head = [`From: ${author}`, 'Date: Tue, 24 Nov 2026 20:00:00 +0000', 'Subject: plans', ...fields]
  wire.send(`${[...head, '', 'As we said.', '.', ''].join('\r\n')}`)
  let reply = await wire.line()
  while (/^\d{3}-/.test(reply)) reply = await wire.line()
  wire.socket.destroy()
  return { reply, id: await idOf(sender) }
}

/** A trace without a message is written with the next group. */
async function idOf(from: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    const [found] = await house.server.house.ports.traces.find({ from, limit: 1 })
    if (found?.events.some(({ kind }) => kind === 'decision') === true) return found.id
    assert.ok(tries < 200, `no trace of ${from}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const text = async (operation: string, args: Readonly<Record<string, unknown>>): Promise<string> =>
  (await house.run(operation, args)).join('\n')

async function sentence(operation: string, args: Readonly<Record<string, unknown>>): Promise<string> {
  const result = await house.server.run(operation, args)
  assert.ok(!result.ok, JSON.stringify(result))
  return result.error
}

async function fateOf(id: string): Promise<string | undefined> {
  const [found] = await house.server.house.ports.traces.find({ id, limit: 1 })
  const decision = found?.events.findLast((event) => event.kind === 'decision')
  return decision?.action
}

const numberOf = (lines: string): string => /^Exception (\d+):/.exec(lines)?.[1] ?? assert.fail(lines)

const FROM_LIST: Letter = {
  client: LIST_HOST,
  from: 'talk-bounces@lists.test',
  fields: ['List-Id: Talk <talk.lists.test>'],
}

test('a held message of a list is trusted by the narrowest key: the next one comes, a forgery does not', async () => {
  const { id } = await send(FROM_LIST)
  assert.equal(await fateOf(id), 'hold')
  const line = `hikyaku trust add --spf lists.test --list talk.lists.test --host ${LIST_HOST}`
  for (const operation of ['quarantine.show', 'why']) {
    const shown = await text(operation, { id })
    for (const part of [
      `hikyaku quarantine trust ${id}`,
      line,
      'may then name any author, strict.test too',
      'Add it only if you know lists.test',
    ])
      assert.ok(shown.includes(part), `${part} in:\n${shown}`)
  }
  assert.equal(
    await text('quarantine.trust', { id, dryRun: true }),
    `${line} --why 'as proposed for the message ${id}'`,
  )
  assert.equal(
    await text('quarantine.trust', { id, dryRun: true, why: "the staff's list", until: '90d' }),
    `${line} --why 'the staff'\\''s list' --until 90d`,
  )
  assert.equal(await text('trust.list', {}), 'There are no exceptions.')

  const made = await text('quarantine.trust', { id })
  const number = numberOf(made)
  for (const part of [
    'Whatever comes in an envelope of lists.test',
    `hikyaku quarantine release ${id}`,
    `hikyaku trust remove ${number}`,
  ])
    assert.ok(made.includes(part), `${part} in:\n${made}`)
  assert.ok((await text('trust.list', {})).includes(`as proposed for the message ${id}`))
  assert.ok((await text('quarantine.list', {})).includes(id), 'trusting delivers nothing')
  assert.match(
    await text('quarantine.show', { id }),
    new RegExp(`Exception ${number} \\(.*\\) lets the next ones`),
  )

  assert.equal(await fateOf((await send(FROM_LIST)).id), 'accept')
  const forged = await send({ client: LIST_HOST, from: 'boss@strict.test' })
  assert.match(forged.reply, /^550 /)
  const otherHost = await send({ ...FROM_LIST, client: '203.0.113.99' })
  assert.equal(await fateOf(otherHost.id), 'hold', 'whoever writes the List-Id gains nothing')

  await house.run('trust.remove', { number })
  assert.equal(await fateOf((await send(FROM_LIST)).id), 'hold')
})

test('a refused message is trusted from its trace', async () => {
  const forwarded: Letter = { client: FORWARDER, from: 'you@forwarder.test' }
  const { id, reply } = await send(forwarded)
  assert.match(reply, /^550 /)
  const line = `hikyaku trust add --spf forwarder.test --host ${FORWARDER}`
  const why = await text('why', { id })
  assert.ok(why.includes(`hikyaku quarantine trust ${id}`) && why.includes(line), why)
  assert.equal(
    await text('quarantine.trust', { id, dryRun: true }),
    `${line} --why 'as proposed for the message ${id}'`,
  )
  const made = await text('quarantine.trust', { id, why: 'my old address' })
  assert.ok(made.includes('is not here; its sender may send it again'), made)
  assert.equal(await fateOf((await send(forwarded)).id), 'accept')
  await house.run('trust.remove', { number: numberOf(made) })
})

test('a List-Id that is a command of the shell is none in the line that a person copies', async () => {
  const { id } = await send({
    client: LIST_HOST,
    from: 'x@hostile.test',
    fields: ["List-Id: <a`halt`|b'$c.x>"],
  })
  assert.equal(
    await text('quarantine.trust', { id, dryRun: true, why: 'y' }),
    `hikyaku trust add --spf hostile.test --list 'a\`halt\`|b'\\''$c.x' --host ${LIST_HOST} --why y`,
  )
  const bare = await send({ client: LIST_HOST, from: 'x@hostile.test', fields: ['List-Id: <talk>'] })
  assert.equal(
    await text('quarantine.trust', { id: bare.id, dryRun: true, why: 'y' }),
    `hikyaku trust add --spf hostile.test --host ${LIST_HOST} --why y`,
    'no List-Id by its rules, which `trust add` would not take',
  )
})

test('where there is nothing to propose it says why', async () => {
  const forged = await send({ client: '192.0.2.66', from: 'boss@strict.test' })
  assert.match(await sentence('quarantine.trust', { id: forged.id }), /nothing in it is beyond a forger/)
  assert.match(await text('why', { id: forged.id }), /No exception can be proposed: nothing in it is beyond/)
  const plain = await send({ client: LIST_HOST, from: 'a@plain.test', author: 'a@plain.test' })
  assert.equal(await fateOf(plain.id), 'accept')
  assert.match(
    await sentence('quarantine.trust', { id: plain.id }),
    /it was not its author's domain that asked/,
  )
  assert.doesNotMatch(await text('why', { id: plain.id }), /xception/)
  const broken = await send({
    client: LIST_HOST,
    from: 'a@plain.test',
    author: 'a@plain.test\r\nFrom: b@plain.test',
  })
  assert.match(
    await sentence('quarantine.trust', { id: broken.id }),
    /was not judged by what its author's domain asks/,
  )
  for (const id of ['', 'nonsense', '0abcdefghjkmnpqrstvw'])
    assert.match(await sentence('quarantine.trust', { id }), /^There is no message .* and no trace of one/)
  const { id } = await send(FROM_LIST)
  assert.match(await sentence('quarantine.trust', { id, until: 'soon' }), /^"soon" is no time/)
  assert.equal(await text('trust.list', {}), 'There are no exceptions.')
})

/** What differs from one run to the next. */
const timeless = (lines: string): string =>
  lines
    .replace(/\b0[0-9a-hjkmnp-tv-z]{19}\b/g, 'ID')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}/g, 'TIME')
    .replace(/\+\d+@/g, '@')
    .replace(/\b(Exception|remove) \d+/g, '$1 N')
    .replace(/\b[0-9a-f]{20}\b/g, 'SECRET')
    .replace(/127\.0\.0\.1:\d+/g, 'DOOR')
    .replace(/^Size: .*$/m, 'Size:')

test('the page for operators shows what is said', async () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'quarantine.md'), 'utf8')
  const shown = (command: string): string =>
    new RegExp(`^\\$ hikyaku ${command}.*\\n([^]*?)^\`\`\`$`, 'm').exec(page)?.[1]?.trimEnd() ??
    assert.fail(`no example of ${command}`)
  const { id } = await send(FROM_LIST)
  for (const operation of ['quarantine.show', 'quarantine.trust', 'selftest'])
    assert.equal(timeless(await text(operation, { id })), timeless(shown(operation.replace('.', ' '))))
})
