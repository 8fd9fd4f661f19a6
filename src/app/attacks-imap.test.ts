import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { MAILBOXES_PER_ACCOUNT } from '../store/limits.ts'
import { Attacker, isWellFormed } from './attacker.test-kit.ts'
import { startHouse } from './house.test-kit.ts'

/* Hostile clients of IMAP on a whole server, and an honest one that must go on beside them. */

const house = await startHouse()
after(() => house.stop())

const loggedIn = async () => Attacker.loggedIn(house, await house.account())

/** Another client's mailbox can be used as before. */
async function honestClientIsServed(): Promise<void> {
  const honest = await loggedIn()
  assert.equal((await honest.append(Buffer.from('Subject: fine\r\n\r\nText\r\n'))).status.slice(0, 2), 'OK')
  await honest.ok('SELECT INBOX')
  assert.match((await honest.ok('FETCH 1 BODY.PEEK[TEXT]')).join(''), /Text/)
  honest.leave()
}

test('attack 25a, 25d: forty clients flood with literals and never log in', async () => {
  const wires = await Promise.all(Array.from({ length: 40 }, () => house.open('imaps')))
  for (const wire of wires) {
    await wire.line()
    wire.send('a1 ID (')
  }
  const { memory } = house.server
  let most = 0
  for (let round = 0; round < 120; round++) {
    for (const wire of wires) if (!wire.closed) wire.send(`"f" {1000+}\r\n${'v'.repeat(1000)} `)
    await new Promise((resolve) => setImmediate(resolve))
    most = Math.max(most, memory.used.strangers)
  }
  for (const wire of wires) {
    await wire.ended()
    assert.match(wire.pending, /^\* BYE \[TOOBIG\] /)
    wire.socket.destroy()
  }
  assert.ok(most < 40 * 256 * 1024, `${most} octets are held`)
  await honestClientIsServed()
})

test('attack 25b: sizes that are none, or too large, in every place where a literal may stand', async () => {
  const attacker = await loggedIn()
  await attacker.ok('SELECT INBOX')
  const places = [
    'CREATE ',
    'RENAME a ',
    'STATUS ',
    'LIST "" ',
    'SEARCH TEXT ',
    'SEARCH HEADER ',
    'COPY 1 ',
    'ID ("x" ',
  ]
  for (const place of places)
    for (const size of [
      '-1',
      '4294967296',
      '18446744073709551616',
      '1e9',
      '٣',
      '00000000000000000000000000000000000005x',
      '',
    ]) {
      const { status } = await attacker.say(`${place}{${size}}`)
      assert.match(status, /^BAD /, `${place}{${size}}`)
      await attacker.ok('NOOP')
    }
  attacker.leave()
  await honestClientIsServed()
})

test('attack 25e: others are answered while 50 patterns of stars are tried on thousands of long names', {
  timeout: 120_000,
}, async () => {
  const account = await house.account()
  const { ports } = house.server.house
  const found = await ports.accounts.findAccount(account.login)
  assert.ok(found)
  const access = { actor: { kind: 'system', what: 'test' }, owner: found.id } as const
  const long = (i: number): string =>
    `${'a'.repeat(240)}/${'a'.repeat(240)}/${'a'.repeat(240)}/${'a'.repeat(200)}${i}`
  for (let i = 0; i < 300; i++) {
    const created = await ports.mailboxes.create(
      access,
      long(i) as Parameters<typeof ports.mailboxes.create>[1],
    )
    assert.ok(created.ok, JSON.stringify(created))
  }
  const [greedy, other] = [await Attacker.loggedIn(house, account), await Attacker.loggedIn(house, account)]
  const ended: string[] = []
  const pattern = `${'*a%'.repeat(400)}x`
  const tag = greedy.send(`LIST "" (${Array.from({ length: 40 }, () => pattern).join(' ')})`)
  const all = greedy.answer(tag).then(({ status }) => ended.push(status.slice(0, 2)))
  for (let i = 0; i < 3; i++) await other.ok('NOOP')
  ended.push('others')
  await all
  assert.deepEqual(ended, ['others', 'OK'])
  for (const one of [greedy, other]) one.leave()
})

test('attack 26b, 26d, 26e, 32b: sets that overlap, parts without end, pieces from nowhere', async () => {
  const attacker = await loggedIn()
  for (let i = 0; i < 3; i++) await attacker.append(Buffer.from(`Subject: ${i}\r\n\r\nText\r\n`))
  await attacker.ok('SELECT INBOX')
  const once = await attacker.ok('FETCH 1:* UID')
  assert.equal(once.length, 3)
  const overlapping = Array.from({ length: 8000 }, () => '1:*').join(',')
  assert.deepEqual(await attacker.ok(`FETCH ${overlapping} UID`), once)
  assert.deepEqual(
    await attacker.ok(`FETCH ${Array.from({ length: 8000 }, () => '*:1').join(',')} UID`),
    once,
  )
  assert.deepEqual(await attacker.ok('UID FETCH 4294967295:* UID'), ['* 3 FETCH (UID 3)'])
  assert.match((await attacker.say('UID FETCH 4294967296:* UID')).status, /^BAD /)
  assert.match((await attacker.say('UID FETCH 0:* UID')).status, /^BAD /)
  const deep = `BODY.PEEK[${'1.'.repeat(60)}1]`
  assert.match(
    (await attacker.ok(`FETCH 1 (${Array.from({ length: 90 }, () => deep).join(' ')})`)).join(''),
    /NIL/,
  )
  for (const piece of ['<4294967295.1>', '<4294967295.4294967295>', '<5000000.1>'])
    assert.match((await attacker.ok(`FETCH 1 BODY.PEEK[]${piece}`)).join(''), /(\{0\}|"")/)
  for (const piece of ['<4294967296.1>', '<0.0>', '<0>', '<-1.5>', '<1.>'])
    assert.match((await attacker.say(`FETCH 1 BODY.PEEK[]${piece}`)).status, /^BAD /, piece)
  const names = Array.from({ length: 10_000 }, (_, i) => `f${i}`).join(' ')
  assert.match((await attacker.say(`FETCH 1 BODY.PEEK[HEADER.FIELDS (${names})]`)).status, /^BAD /)
  await attacker.ok('NOOP')
  attacker.leave()
})

test('attack 32b: SELECT and STATUS of names that are not there, by the thousand', async () => {
  const attacker = await loggedIn()
  const tags = Array.from({ length: 3000 }, (_, i) =>
    attacker.send(`${i % 2 ? 'SELECT' : 'STATUS'} nosuch${i}${i % 2 ? '' : ' (MESSAGES)'}`),
  )
  for (const tag of tags) assert.match((await attacker.answer(tag)).status, /^NO \[NONEXISTENT\]/)
  const good = Array.from({ length: 3000 }, () => attacker.send('STATUS INBOX (MESSAGES UNSEEN SIZE)'))
  for (const tag of good) assert.match((await attacker.answer(tag)).status, /^OK/)
  attacker.leave()
  await honestClientIsServed()
})

test('attack 32a: long tags, exchanges that never end, garbage in IDLE', async () => {
  const tagged = await house.open('imaps')
  await tagged.line()
  tagged.send(`${'t'.repeat(60_000)} NOOP\r\n`)
  await tagged.ended()
  assert.match(tagged.pending, /^\* BYE /)

  const guest = await house.open('imaps')
  await guest.line()
  for (let i = 0; !guest.closed && i < 100; i++) {
    guest.send(i === 0 ? 'a1 AUTHENTICATE PLAIN\r\n' : `${'A'.repeat(12_000)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await guest.ended()
  assert.match(guest.pending, /^\+ \r\n(a1 BAD|\* BYE)/)

  const idle = await loggedIn()
  await idle.ok('SELECT INBOX')
  idle.send('IDLE')
  assert.match(await idle.wire.line(), /^\+ /)
  idle.wire.send('x NOOP\r\n'.repeat(50))
  assert.match(await idle.wire.line(), /^t3 BAD /, 'what is no DONE ends IDLE')
  await idle.wire.octets(idle.wire.pending.length)
  idle.leave()

  const pipelined = await loggedIn()
  await pipelined.ok('SELECT INBOX')
  const tag = pipelined.send(`IDLE\r\nDONE\r\n${'x'.repeat(60)} NOOP`)
  assert.match(await pipelined.wire.line(), /^\+ /)
  assert.match((await pipelined.answer(tag)).status, /^OK/)
  assert.match(await pipelined.wire.line(), /^x{60} OK /)
  pipelined.leave()
  await honestClientIsServed()
})

test('attack 32c: keywords without end: in a command, on a message, in a mailbox', async () => {
  const attacker = await loggedIn()
  await attacker.append(Buffer.from('Subject: x\r\n\r\n'))
  await attacker.ok('SELECT INBOX')
  const words = (count: number, word: string): string =>
    Array.from({ length: count }, (_, i) => `${word}${i}`).join(' ')
  assert.match((await attacker.say(`STORE 1 +FLAGS (${words(1000, 'k')})`)).status, /^BAD /)
  assert.match((await attacker.say(`STORE 1 +FLAGS (${words(80, 'k')})`)).status, /^(BAD|NO) /)
  assert.match((await attacker.say(`STORE 1 +FLAGS (${'k'.repeat(60_000)})`)).status, /^(BAD|NO) /)
  await attacker.ok(`STORE 1 FLAGS (${words(48, 'a')})`)
  assert.match((await attacker.say('STORE 1 +FLAGS (one-more)')).status, /^NO \[LIMIT\]/)
  for (let i = 0; i < 200; i++) await attacker.say(`STORE 1 FLAGS.SILENT (round${i})`)
  const [told = ''] = await attacker.ok('FETCH 1 FLAGS')
  assert.ok(isWellFormed(told.replace(/^\* \d+ FETCH /, '').replaceAll('\\', '')), told)
  attacker.leave()
})

test('attack 32c: an account has so many mailboxes and no more', { timeout: 120_000 }, async () => {
  const account = await house.account()
  const { ports } = house.server.house
  const found = await ports.accounts.findAccount(account.login)
  assert.ok(found)
  const access = { actor: { kind: 'system', what: 'test' }, owner: found.id } as const
  const inGroups = async (act: (name: string) => Promise<{ readonly ok: boolean }>): Promise<number> => {
    let done = 0
    for (let from = 0; from < MAILBOXES_PER_ACCOUNT + 100; from += 1000) {
      const names = Array.from({ length: 1000 }, (_, i) => `m${from + i}`)
      done += (await Promise.all(names.map(act))).filter(({ ok }) => ok).length
    }
    return done
  }
  const made = await inGroups((name) => ports.mailboxes.create(access, name))
  assert.ok(made <= MAILBOXES_PER_ACCOUNT && made > MAILBOXES_PER_ACCOUNT - 10, `${made}`)
  const attacker = await Attacker.loggedIn(house, account)
  assert.match((await attacker.say('CREATE one-more')).status, /^NO \[LIMIT\]/)
  assert.match((await attacker.say('RENAME m1 a/b/c')).status, /^NO \[LIMIT\]/)
  assert.match((await attacker.say('RENAME m1 m1-by-another-name')).status, /^OK/)
  const other = await loggedIn()
  const tag = attacker.send('LIST "" * RETURN (STATUS (MESSAGES UNSEEN))')
  for (let i = 0; i < 3; i++) await other.ok('NOOP')
  const { status, untagged } = await attacker.answer(tag)
  assert.match(status, /^OK/)
  assert.equal(untagged.filter((line) => line.startsWith('* LIST')).length, MAILBOXES_PER_ACCOUNT)
  for (const one of [attacker, other]) one.leave()
  await honestClientIsServed()
})

test('attack 27a, 27b, 32c, 32d: names: deep, long, twins, circles, and those of Unicode', async () => {
  const attacker = await loggedIn()
  const refused = async (name: string | Buffer, status = /^(NO \[CANNOT\]|BAD) /): Promise<void> => {
    const octets = Buffer.from(name)
    const answer = await attacker.say(Buffer.concat([Buffer.from(`CREATE {${octets.length}+}\r\n`), octets]))
    assert.match(answer.status, status, String(name).slice(0, 80))
  }
  for (const name of [
    'a/'.repeat(30_000),
    'a/'.repeat(50),
    'n'.repeat(300),
    '..',
    '../../../etc/passwd',
    'a/./b',
    'a//b',
    '/',
    '',
    'a\u0000b',
    'a\rb',
    '&AAAACg-',
    '&2AA-',
    '&IC4-\u202e',
    '*',
    'a%b',
    '#news.x',
    // One name, and other spellings of it in modified UTF-7.
    '&AGEA-',
    '&AGE-',
    '&AOk',
    '&AOl-',
    '&AOkA-',
    Buffer.from([0xc3, 0xa9]),
    Buffer.from([0xff, 0xfe]),
  ])
    await refused(name)
  assert.match((await attacker.say('CREATE &AOk-')).status, /^OK/)
  await refused('e&AwE-', /^NO \[ALREADYEXISTS\]/)
  await attacker.ok('CREATE c1/c2/c3')
  for (const [from, to] of [
    ['c1', 'c1/c2/c4'],
    ['c1', 'c1/c2'],
    ['c1', 'c1'],
    ['c1/c2/c3', 'c1/c2'],
    ['INBOX', 'INBOX/x/y/INBOX/INBOX/INBOX/'.repeat(40)],
    ['nosuch', 'other'],
  ])
    assert.match((await attacker.say(`RENAME ${from} ${to}`)).status, /^NO /, `${from} ${to}`)
  // As deep as names go: what is below does not fit any more, and stays as it was.
  await attacker.ok(`CREATE ${Array.from({ length: 18 }, (_, i) => `d${i}`).join('/')}`)
  assert.match((await attacker.say('RENAME d0 w/x/y/z')).status, /^NO /)
  const listed = (await attacker.ok('LIST "" *')).filter((line) => / (c|d)\d/.test(line))
  assert.equal(listed.length, 3 + 18)
  attacker.leave()
})

test('attack 27c: names that share a hash cost no more than others', async () => {
  // Names and their keys are looked up by the engine's maps, whose seed nobody outside knows, and by the database's
  // trees: 512 names that collide in the multiplication by 31 of other systems.
  const attacker = await loggedIn()
  const names = Array.from({ length: 512 }, (_, i) =>
    Array.from({ length: 9 }, (_, bit) => ((i >> bit) & 1 ? 'Aa' : 'BB')).join(''),
  )
  const hash = (text: string): number =>
    [...text].reduce((sum, char) => (Math.imul(sum, 31) + char.charCodeAt(0)) | 0, 0)
  assert.equal(new Set(names.map(hash)).size, 1)
  const tags = names.map((name) => attacker.send(`CREATE ${name}`))
  for (const tag of tags) assert.match((await attacker.answer(tag)).status, /^OK/)
  assert.equal((await attacker.ok('LIST "" "%"')).filter((line) => /(Aa|BB){9}$/.test(line)).length, 512)
  attacker.leave()
})

test('attack 27d: of the mailboxes of others there is no word, whatever they are called', async () => {
  const victim = await house.account('victim27')
  const owner = await Attacker.loggedIn(house, victim)
  await owner.ok('CREATE Secret')
  await owner.append(Buffer.from('Subject: hidden\r\n\r\nhidden\r\n'))
  const attacker = await loggedIn()
  for (const name of [
    'Secret',
    'victim27/Secret',
    'user/victim27',
    'user.victim27.Secret',
    '"Other Users/victim27"',
    '~victim27/INBOX',
    'victim27@example.test/INBOX',
    '../victim27/INBOX',
  ])
    for (const command of [
      `SELECT ${name}`,
      `STATUS ${name} (MESSAGES)`,
      `RENAME ${name} Mine`,
      `DELETE ${name}`,
      `COPY 1 ${name}`,
    ])
      assert.match((await attacker.say(command)).status, /^(NO|BAD) /, command)
  assert.equal((await attacker.ok('LIST "" *')).filter((line) => /victim|Secret/.test(line)).length, 0)
  await attacker.ok('SELECT INBOX')
  assert.deepEqual(await attacker.ok('SEARCH TEXT hidden'), ['* SEARCH'])
  const answers = [
    'GETACL',
    'LISTRIGHTS',
    'GENURLAUTH',
    'URLFETCH',
    'ESEARCH',
    'LOCALDELETE',
    'XAPPLEPUSHSERVICE',
  ]
  for (const verb of answers)
    assert.match((await attacker.say(`${verb} INBOX`)).status, /^BAD unknown command/, verb)
  for (const one of [owner, attacker]) one.leave()
})

test('attack 26c, 32e: SEARCH of very many keys, of odd charsets, of texts that match nowhere', {
  timeout: 120_000,
}, async () => {
  const attacker = await loggedIn()
  for (let i = 0; i < 20; i++)
    await attacker.append(Buffer.from(`Subject: ${i}\r\n\r\n${`${'a'.repeat(70)}\r\n`.repeat(2000)}`))
  await attacker.ok('SELECT INBOX')
  const other = await loggedIn()
  await other.ok('SELECT INBOX')
  const keys = Array.from({ length: 99 }, (_, i) => `NOT TEXT "nowhere ${i}"`).join(' ')
  const long = `b${'a'.repeat(60_000)}`
  const searches = [
    { tag: attacker.send(`SEARCH ${keys}`), hits: 20 },
    { tag: attacker.send(`SEARCH TEXT {${long.length}+}\r\n${long}`), hits: 0 },
    { tag: attacker.send(`SEARCH ${'UNDELETED '.repeat(999)}ALL`), hits: 20 },
  ]
  for (let i = 0; i < 5; i++) await other.ok('UID SEARCH ALL')
  for (const { tag, hits } of searches) {
    const { status, untagged } = await attacker.answer(tag)
    assert.match(status, /^OK/)
    assert.equal((untagged[0] ?? '').split(' ').length - 2, hits)
  }
  assert.match((await attacker.say(`SEARCH ${'TEXT a '.repeat(101)}ALL`)).status, /^NO \[LIMIT\]/)
  assert.match((await attacker.say(`SEARCH ${'ALL '.repeat(10_000)}ALL`)).status, /^NO \[LIMIT\]/)
  assert.match((await attacker.say('SEARCH CHARSET UTF-7 ALL')).status, /^NO \[BADCHARSET /)
  for (const charset of ['__proto__', 'constructor', `${'X'.repeat(5000)}`])
    assert.match((await attacker.say(`SEARCH CHARSET ${charset} ALL`)).status, /^NO \[BADCHARSET /)
  for (const [charset, octets] of [
    ['UTF-8', [0xc0, 0xaf]],
    ['UTF-8', [0xed, 0xa0, 0x80]],
    ['EUC-JP', [0xa4]],
    ['SHIFT_JIS', [0x81]],
  ] as const) {
    const text = Buffer.from(octets)
    const search = Buffer.concat([
      Buffer.from(`SEARCH CHARSET ${charset} SUBJECT {${text.length}+}\r\n`),
      text,
    ])
    assert.match((await attacker.say(search)).status, /^BAD /, charset)
  }
  for (const one of [attacker, other]) one.leave()
})

test('attack 7g: names that are SQL or LDAP are only names', async () => {
  const victim = await house.account('victim7')
  const guest = new Attacker(await house.open('imaps'))
  await guest.wire.line()
  for (const name of [
    "victim7@example.test' OR '1'='1",
    "victim7@example.test'--",
    'victim7@example.test\\" OR 1=1 --',
    '*)(uid=*))(|(uid=*',
    'victim%@example.test',
    'victim_@example.test',
  ])
    assert.match(
      (await guest.say(`LOGIN "${name}" "' OR ''='"`)).status,
      /^NO \[AUTHENTICATIONFAILED\]/,
      name,
    )
  guest.leave()
  const attacker = await Attacker.loggedIn(house, victim)
  const names = [
    "x'; DROP TABLE mailboxes; --",
    '_nbox',
    "' OR 1=1",
    '(uid=1)',
    'a;b',
    '$(id)',
    '`id`',
    '${x}',
    '__proto__',
    'constructor',
  ]
  for (const name of names) await attacker.ok(`CREATE "${name}"`)
  for (const name of names) await attacker.ok(`STATUS "${name}" (MESSAGES)`)
  await attacker.ok('DELETE "_nbox"')
  assert.equal((await attacker.ok('LIST "" INBOX')).length, 1)
  assert.match((await attacker.say('STATUS "_nbox" (MESSAGES)')).status, /^NO /)
  attacker.leave()
  await honestClientIsServed()
})
