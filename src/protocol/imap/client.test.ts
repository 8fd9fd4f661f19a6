import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { MailboxName } from '../../mail/mailbox-name.ts'
import { parseUidSet, type UidSet } from '../../mail/uid-set.ts'
import { command, response } from './arbitraries.test-kit.ts'
import { ImapClient } from './client.ts'
import type { ImapClientTell } from './client-types.ts'
import type { ImapCommand } from './command.ts'
import { Pair } from './pair.test-kit.ts'
import { encodeResponse } from './response.ts'
import type { AskedCommand } from './types.ts'

const PIECES = [Number.POSITIVE_INFINITY, 1, 3]
const SENT = 'Sent' as MailboxName
const LOGIN: ImapCommand = { kind: 'login', user: 'alice', password: 'secret' }

function summary(tells: readonly ImapClientTell[]): string[] {
  return tells.map((tell) => {
    if (tell.kind === 'done') return `${tell.tag} ${tell.condition.status}`
    if (tell.kind === 'response') return tell.response.kind
    return tell.kind
  })
}

test('client and server talk', () => {
  for (const piece of PIECES)
    for (const literals of ['LITERAL+', 'LITERAL-', 'none'] as const) {
      const message = Buffer.from('Subject: long\r\n\r\n'.padEnd(900, 'm'))
      let sent = 0
      const pair = new Pair({
        piece,
        literals,
        answer: (ask) => {
          assert.equal(ask.kind, 'append-data')
          const octets = message.subarray(sent, sent + 400)
          sent += octets.length
          return { kind: 'append-data', octets }
        },
      })
      pair.client.command(LOGIN)
      pair.client.command({
        kind: 'append',
        mailbox: SENT,
        flags: { system: 1, keywords: [] },
        sizeBytes: 900,
      })
      pair.client.command({
        kind: 'append',
        mailbox: 'no' as MailboxName,
        flags: { system: 0, keywords: [] },
        sizeBytes: 0,
      })
      pair.client.command({ kind: 'select', mailbox: SENT })
      const items = [{ kind: 'section', name: 'BODY', section: { part: [] }, peek: true } as const]
      pair.client.command({ kind: 'fetch', uid: false, set: parseUidSet('1') as UidSet, items })
      pair.client.command({ kind: 'logout' })
      pair.run()
      const how = `${literals} in pieces of ${piece}`
      assert.deepEqual(
        summary(pair.tells).filter((line) => line !== 'condition'),
        [
          'greeting',
          'c1 OK',
          'c2 OK',
          'c3 NO',
          'flags',
          'exists',
          'recent',
          'c4 OK',
          'fetch',
          'c5 OK',
          'c6 OK',
        ],
        how,
      )
      const fetched = pair.tells.find((tell) => tell.kind === 'response' && tell.response.kind === 'fetch')
      assert.ok(fetched?.kind === 'response' && fetched.response.kind === 'fetch', how)
      const [item] = fetched.response.items
      assert.ok(item?.kind === 'section' && item.octets !== null)
      assert.deepEqual(Buffer.from(item.octets), message, how)
    }
})

test('AUTHENTICATE, STARTTLS and IDLE from the client', () => {
  for (const piece of PIECES) {
    const pair = new Pair({
      piece,
      answer: () => ({ kind: 'auth-response', octets: Buffer.from('\0alice\0secret') }),
    })
    pair.client.command({ kind: 'starttls' })
    pair.client.command({ kind: 'authenticate', mechanism: 'PLAIN' })
    pair.client.command({ kind: 'idle' })
    pair.run()
    assert.deepEqual(summary(pair.tells), ['greeting', 'c1 OK', 'c2 OK', 'idling'])
    pair.stage.event('exists 7')
    pair.run()
    pair.client.done()
    pair.run()
    assert.deepEqual(summary(pair.tells).slice(4), ['exists', 'c3 OK'])
  }
})

test('what the client sends is what the session is asked, cut at every byte', () => {
  const asked = command.filter(
    (one): one is AskedCommand =>
      !['append', 'idle', 'logout', 'starttls', 'authenticate', 'login'].includes(one.kind),
  )
  fc.assert(
    fc.property(
      asked,
      fc.constantFrom(...PIECES),
      fc.constantFrom('LITERAL+', 'none'),
      (one, piece, literals) => {
        const pair = new Pair({ piece, literals })
        pair.client.command(LOGIN)
        pair.client.command({ kind: 'select', mailbox: 'INBOX' as MailboxName })
        pair.run()
        let got: AskedCommand | undefined
        pair.stage.session.command = (what) => {
          got = what
          return { kind: 'done', status: 'OK', text: 'x' }
        }
        pair.client.command(one)
        pair.run()
        assert.deepEqual(got, one)
      },
    ),
    { numRuns: 200 },
  )
})

/** A client that has been greeted, and its tells after `octets` in pieces. */
function listen(octets: string, piece: number, streamAboveOctets = 65_536): ImapClientTell[] {
  const client = new ImapClient({ literals: 'none', nowMs: 0, limits: { streamAboveOctets } })
  const tells: ImapClientTell[] = []
  const run = () => {
    for (let step = client.next(); step.kind !== 'need-input' && step.kind !== 'close'; step = client.next())
      if (step.kind === 'tell') tells.push(step.tell)
  }
  const wire = Buffer.from(`* OK hi\r\n${octets}`, 'latin1')
  for (let at = 0; at < wire.length; at += piece) {
    client.push(wire.subarray(at, at + piece))
    run()
  }
  return tells.slice(1)
}

test('responses are read the same, cut at every byte', () => {
  fc.assert(
    fc.property(fc.array(response, { minLength: 1, maxLength: 4 }), (all) => {
      const wire = all.map(encodeResponse).join('')
      const expected = all.map((one) => ({ kind: 'response', response: one }))
      assert.deepEqual(listen(wire, Number.POSITIVE_INFINITY), expected)
      assert.deepEqual(listen(wire, 1), expected)
    }),
    { numRuns: 100 },
  )
})

test('a large literal is streamed', () => {
  for (const piece of [Number.POSITIVE_INFINITY, 1, 3]) {
    const tells = listen('* 1 FETCH (UID 4 BODY[] {10}\r\n0123456789 FLAGS ())\r\n', piece, 4)
    const pieces = tells.flatMap((tell) => (tell.kind === 'literal' ? [Buffer.from(tell.octets)] : []))
    assert.equal(Buffer.concat(pieces).toString(), '0123456789')
    assert.equal(tells.at(-1)?.kind, 'response')
  }
})

test('attack 11a: a hostile server is lost, not obeyed', () => {
  const lost = (octets: string): string => {
    const last = listen(octets, Number.POSITIVE_INFINITY).at(-1)
    return last?.kind === 'lost' ? last.cause : 'not lost'
  }
  assert.equal(lost('* 1 EXISTS x\r\n'), 'too much')
  assert.equal(lost('c9 OK done\r\n'), 'a completion of no command')
  assert.equal(lost('+ go on\r\n'), 'a continuation that nobody waits for')
  assert.equal(lost('\r\n'), 'no tag')
  assert.equal(lost(`* 1 FETCH (${'('.repeat(100_000)}\r\n`), 'expected a space')
  assert.equal(lost(`* SEARCH ${'1 '.repeat(5_000_000)}`), 'line too long')
  const literal = `{60000}\r\n${'x'.repeat(60_000)} X `
  assert.equal(lost(`* 1 FETCH (X ${literal.repeat(300)}`), 'response too big')
  assert.equal(lost('* XSTRANGE things (we) "do" not know\r\n'), 'not lost')
})
