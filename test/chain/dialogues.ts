// The rows that are dialogues rather than messages: B06, B80 to B84, S01, S03, S05.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectFields, newestTrace } from './expect.ts'
import { type Letter, SmtpSession, sendLetter } from './session.ts'
import { hostname, type World } from './world.ts'

const forger = { client: '203.0.113.66', helo: 'freebsd.azure.test' } as const
const honest = { client: '203.0.113.10', helo: 'mx.bigmail.test' } as const
const to = '<pokemon@jf3vqb.test>'

export function dialogueRows(world: () => World): void {
  const talk = talker(world)
  utf8Rows(world, talk)
  commandRows(world, talk)
  lineRows(world, talk)
  longLineRows(world)
  scannerRows(world, talk)
  forgedFieldRows(world)
}

type Talk = (client: string, work: (session: SmtpSession) => Promise<void>, early?: string) => Promise<void>

/** Holds one conversation; the dialogue is shown when something in it fails. */
function talker(world: () => World): Talk {
  return async (client, work, early = '') => {
    const session = await SmtpSession.open(world().origin(client), early)
    try {
      await work(session)
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}\n${session.transcript()}`, {
        cause: error,
      })
    } finally {
      session.close()
    }
  }
}

function utf8Rows(world: () => World, talk: Talk): void {
  test('B06 is taken: SMTPUTF8 is offered, and asked for where an address needs it', async () => {
    const row = world().row('B06')
    const [asked = '', plain = ''] = row.commands.filter((line) => line.startsWith('MAIL'))
    assert.equal(asked, `${plain} SMTPUTF8`)
    await talk(honest.client, async (session) => {
      assert.match(await session.command(`EHLO ${honest.helo}`), /^250[- ]SMTPUTF8$/m)
      // rfc6531 §3.4: without the parameter such an address is none.
      assert.match(await session.command(plain), /^5\d\d /)
      assert.match(await session.command(asked), /^250 /)
    })
    const letter = octetsOf({
      ...{ ...honest, recipients: [to] },
      mail: '<太郎@bigmail.test> SMTPUTF8',
      message:
        'From: 太郎 <太郎@bigmail.test>\nTo: pokemon@jf3vqb.test\nSubject: 件名\n' +
        'Date: Tue, 24 Nov 2026 06:00:00 +0900\nMessage-ID: <b06@bigmail.test>\n\nhello\n',
    })
    const sent = await world().send(letter)
    assert.match(sent.reply, /^250 2\./, sent.transcript)
    const [copy] = await world().delivered('<b06@bigmail.test>')
    expectFields(copy, { letter, results: ['dmarc=pass'], trace: await newestTrace(world()) })
  })
}

function commandRows(world: () => World, talk: Talk): void {
  test('B80 is refused: none of the tricks relays', async () => {
    const commands = world()
      .row('B80')
      .commands.filter((line) => !/^(EHLO|QUIT)/.test(line))
    // The literal is that server's own address, and the mailbox is its: no relaying.
    const own = commands.findIndex((line) => line.includes('pokemon@[198.51.100.25]'))
    assert.ok(own > 0)
    await talk(forger.client, async (session) => {
      await session.command(`EHLO ${forger.helo}`)
      for (const [index, line] of commands.entries()) {
        if (index === own) continue
        const reply = await session.command(line)
        assert.match(reply, line.startsWith('RCPT') ? /^55\d 5\./ : /^250 /, line)
      }
    })
  })

  test('B81 is answered command by command, and no line is taken without bound', async () => {
    const commands = world()
      .row('B81')
      .commands.filter((line) => line !== 'QUIT')
    const long = commands.at(-1) ?? ''
    assert.ok(long.startsWith('NOOP xxx'))
    const positive = /^(NOOP|HELP|RSET|HELO localhost|VRFY|MAIL FROM:<a@bigmail\.test>$|RCPT TO:<pokemon)/
    await talk(forger.client, async (session) => {
      // The record starts with MAIL before EHLO, which some servers take; nothing is said of it here.
      await session.command('EHLO localhost')
      for (const line of commands.slice(0, -1)) {
        const reply = await session.command(line)
        assert.match(reply.split('\n').at(-1) ?? '', /^[2345]\d\d /, `a whole reply to ${line}`)
        if (!positive.test(line) && line !== 'EHLO bad name!' && !line.startsWith('MAIL FROM:a@'))
          assert.match(reply, /^[45]\d\d/, line)
        if (/^(NOOP|RSET|HELO localhost)/.test(line)) assert.match(reply, /^250/, line)
      }
      const reply = await session.command(`NOOP ${'x'.repeat(3000)}`)
      assert.match(reply, /^(500|501|421) /, 'a line of 3,000 octets')
    })
  })
}

function lineRows(world: () => World, talk: Talk): void {
  test('B82 is refused: no LF ends a message or a line, and nothing smuggled arrives', async () => {
    for (const end of ['\n.\n', '\n.\r\n']) {
      await talk(forger.client, async (session) => {
        await session.command(`EHLO ${forger.helo}`)
        await session.command('MAIL FROM:<x@freebsd.azure.test>')
        assert.match(await session.command(`RCPT TO:${to}`), /^250 /)
        assert.match(await session.command('DATA'), /^354 /)
        session.send(
          `From: x@freebsd.azure.test\r\nMessage-ID: <b82@bigmail.test>\r\n\r\nfirst${end}` +
            `MAIL FROM:<ceo@strict.test>\r\nRCPT TO:${to}\r\nDATA\r\n` +
            'From: ceo@strict.test\r\nMessage-ID: <b82-inner@bigmail.test>\r\n\r\nsmuggled\r\n',
        )
        assert.match(await session.command('.'), /^(5\d\d|421) /)
      })
    }
    for (const id of ['<b82@bigmail.test>', '<b82-inner@bigmail.test>'])
      assert.deepEqual(await world().delivered(id), [])
  })

  test('B83 is refused: who talks before the greeting, and commands that end in LF', async () => {
    await talk(
      forger.client,
      async (session) => {
        assert.match(session.greeting, /^(554|421|521) /)
        // What it goes on to say gets it nowhere.
        const reply = await session.command(`MAIL FROM:<x@freebsd.azure.test>`)
        assert.ok(!reply.startsWith('2'), reply)
      },
      `EHLO ${forger.helo}\r\n`,
    )
    await talk(forger.client, async (session) => {
      session.send(`EHLO ${forger.helo}\nMAIL FROM:<x@freebsd.azure.test>\n`)
      const reply = await session.command('NOOP')
      assert.ok(!reply.startsWith('250 2.1.0') && !/^250-/.test(reply), reply)
    })
  })
}

function longLineRows(world: () => World): void {
  test('B84 is delivered: lines of 5,000 octets, as they are', async () => {
    const letter: Letter = {
      ...{ ...honest, mail: '<taro@bigmail.test>', recipients: [to] },
      message:
        `From: Taro <taro@bigmail.test>\nTo: pokemon@jf3vqb.test\nSubject: ${'z'.repeat(2300)}\n` +
        'Date: Tue, 24 Nov 2026 06:00:00 +0900\nMessage-ID: <b84@bigmail.test>\n\n' +
        `${'y'.repeat(5000)}\n`,
    }
    const sent = await world().send(letter)
    assert.match(sent.reply, /^250 2\./, sent.transcript)
    const [copy] = await world().delivered('<b84@bigmail.test>')
    const results = ['spf=pass smtp.mailfrom=bigmail.test', 'dmarc=pass header.from=bigmail.test']
    expectFields(copy, { letter, results, trace: await newestTrace(world()) })
  })
}

function scannerRows(world: () => World, talk: Talk): void {
  test('S01 costs a greeting and a goodbye', async () => {
    await talk(forger.client, async (session) => {
      assert.match(session.greeting, new RegExp(`^220 ${hostname.replaceAll('.', '\\.')} `))
      assert.ok(!/version|hikyaku\/\d/i.test(session.greeting), 'no version')
      assert.match(await session.command('QUIT'), /^221 /)
    })
  })

  test('S03 guesses nothing: no AUTH on the MX port', async () => {
    await talk(forger.client, async (session) => {
      const hello = await session.command('EHLO ylmf-pc')
      assert.ok(!/\bAUTH\b/.test(hello), hello)
      assert.match(await session.command('AUTH LOGIN'), /^50[234] /)
      assert.match(await session.command(Buffer.from('admin').toString('base64')), /^5\d\d /)
    })
  })

  test('S05 is taken: neither localhost nor our own name in HELO decides anything', async () => {
    await talk(forger.client, async (session) => {
      for (const line of world().row('S05').commands) {
        assert.match(await session.command(line), line === 'QUIT' ? /^221 / : /^250[ -]/, line)
      }
    })
  })
}

function forgedFieldRows(world: () => World): void {
  test('what others wrote in our name is gone, what they wrote in theirs stays', async () => {
    const b66 = await world().letter('B66')
    const theirs = 'Authentication-Results: mx.other.test; spf=pass smtp.mailfrom=strict.test\n'
    const letter: Letter = {
      ...b66,
      // A domain that asks for nothing: the forgery is delivered, and must not bring its own proof.
      message:
        theirs +
        b66.message
          .replaceAll('strict.test', 'nonepol.test')
          .replace(/^Message-ID: .*$/m, 'Message-ID: <b66-delivered@bigmail.test>'),
    }
    const sent = await sendLetter(world().origin(letter.client), letter)
    assert.match(sent.reply, /^250 2\./, sent.transcript)
    const [copy] = await world().delivered('<b66-delivered@bigmail.test>')
    assert.ok(copy)
    const ours = copy.octets.split('\r\n').filter((line) => /^Authentication-Results: *dhcp/i.test(line))
    assert.equal(ours.length, 1, copy.octets)
    assert.ok(copy.octets.includes(theirs.trimEnd()))
    assert.ok(!copy.octets.includes('dkim=pass'), copy.octets)
    const kept = letter.message
      .replace(/^Authentication-Results: dhcp.*\n/m, '')
      .replace(/^Received-SPF: .*\(dhcp.*\n/m, '')
    expectFields(copy, {
      letter: { ...letter, message: kept },
      results: ['spf=none smtp.mailfrom=freebsd.azure.test', 'dmarc=fail header.from=nonepol.test'],
      trace: await newestTrace(world()),
    })
  })
}

/** Text with characters beyond ASCII, as the octets of its UTF-8. */
function octetsOf(letter: Letter): Letter {
  const octets = (text: string) => Buffer.from(text).toString('latin1')
  return { ...letter, mail: octets(letter.mail), message: octets(letter.message) }
}
