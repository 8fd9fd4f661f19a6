import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bench, collect, type Implementation, mail, uids } from './bench.test-kit.ts'

/** Law 3: what is accepted is there, whole, once for each; what is refused left nothing. */
export function deliveryContract(implementation: Implementation): void {
  const on = (title: string, body: (bench: Bench) => Promise<void>): void =>
    void test(`delivery: ${title}`, () => Bench.run(implementation, body))

  on('an accepted message is there octet for octet, prefix in front', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const text = mail('こんにちは', 'Line\r\n.dot\r\n\r\n  end without line end')
    await bench.deliver(text, anna, { prefix: 'Received: from a by b\r\n' })
    const view = await bench.view(anna)
    assert.equal((await bench.octets(anna, view, 1)).toString(), `Received: from a by b\r\n${text}`)
  })

  on(
    'a message without a header block, an empty one and one without a body are kept as they are',
    async (bench) => {
      const anna = await bench.account('anna@example.test')
      const texts = [
        'no header at all\r\njust text\r\n',
        '',
        'Subject: only a header\r\n',
        '\r\nbody\r\n',
        'X: y\r\n\r\n',
      ]
      for (const text of texts) await bench.deliver(text, anna, { prefix: 'Return-Path: <>\r\n' })
      const view = await bench.view(anna)
      for (const [i, text] of texts.entries())
        assert.equal((await bench.octets(anna, view, i + 1)).toString(), `Return-Path: <>\r\n${text}`)
    },
  )

  on('many recipients get one message each; taking it from one leaves the others theirs', async (bench) => {
    const people = await Promise.all(['a', 'b', 'c'].map((name) => bench.account(`${name}@example.test`)))
    const stored = await bench.accept(mail('for all'), people)
    assert(stored.ok)
    assert.deepEqual(
      stored.value.map(({ owner }) => owner),
      people.map(({ owner }) => owner),
    )
    const [first, ...others] = people as [(typeof people)[0], ...typeof people]
    const view = await bench.view(first)
    await bench.store.mailboxes.storeFlags(first, view, {
      uids: [1],
      action: 'add',
      flags: ['\\Deleted'],
      silent: false,
    })
    await bench.store.mailboxes.expunge(first, view)
    view.sync({ expunges: true })
    view.close()
    await bench.reopen()
    for (const person of others)
      assert.match((await bench.octets(person, await bench.view(person), 1)).toString(), /for all/)
  })

  on('large bodies are kept, shared and fetched as streams and in pieces', async (bench) => {
    const [anna, ben] = [await bench.account('anna@example.test'), await bench.account('ben@example.test')]
    const body = Buffer.alloc(900_000, 'A line of fifty octets, more or less, as mail has\r\n')
    const text = Buffer.concat([Buffer.from(mail('large', '')), body])
    await bench.accept(text, [anna, ben], { prefix: 'Received: x\r\n' })
    const whole = Buffer.concat([Buffer.from('Received: x\r\n'), text])
    await bench.reopen()
    const view = await bench.view(ben)
    assert((await bench.octets(ben, view, 1)).equals(whole))
    const partial = { offset: 500_000, length: 1000 }
    const [row] = await bench.rows(ben, view, [1], {
      size: true,
      sections: [
        { path: [], what: 'all', partial },
        { path: [], what: 'header' },
        { path: [], what: { fields: ['subject'], not: false } },
        { path: [], what: 'text', partial: { offset: 0, length: 10 } },
      ],
    })
    assert.equal(row?.sizeBytes, whole.length)
    const [piece, header, fields, start] = await Promise.all((row?.sections ?? []).map(collect))
    assert(piece?.equals(whole.subarray(500_000, 501_000)))
    assert.match(header?.toString() ?? '', /^Received: x\r\nFrom: .*\r\n\r\n$/s)
    assert.equal(fields?.toString(), 'Subject: large\r\n\r\n')
    assert.equal(start?.toString(), 'A line of ')
  })

  on('many sections of one message are not held all at once', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const text = mail('x', 'y'.repeat(200_000))
    await bench.accept(text, [anna])
    const view = await bench.view(anna)
    const sections = Array.from({ length: 100 }, (_, offset) => ({
      path: [],
      what: 'all' as const,
      partial: { offset, length: 200_000 },
    }))
    let held = 0
    for await (const rows of bench.store.mailboxes.fetch(anna, view, [1], { sections })) {
      for (const [index, section] of (rows[0]?.sections ?? []).entries()) {
        assert(section !== null)
        const octets: Uint8Array[] = []
        if (section instanceof Uint8Array) {
          held += section.length
          octets.push(section)
        } else for await (const piece of section.stream()) octets.push(piece)
        const whole = Buffer.concat(octets)
        assert.equal(section instanceof Uint8Array ? section.length : section.sizeBytes, whole.length)
        assert.equal(whole.subarray(0, 20).toString(), text.slice(index, index + 20).toString())
      }
    }
    assert(held > 0 && held < 3 * 1024 * 1024, `${held} octets held`)
  })

  on('UIDs and MODSEQs only grow, also after expunges and a restart', async (bench) => {
    const anna = await bench.account('anna@example.test')
    await bench.deliverMany(3, anna)
    const view = await bench.view(anna)
    assert.deepEqual(uids(view), [1, 2, 3])
    const modseq = view.highestModseq
    await bench.store.mailboxes.storeFlags(anna, view, {
      uids: [3],
      action: 'add',
      flags: ['\\Deleted'],
      silent: false,
    })
    await bench.store.mailboxes.expunge(anna, view)
    view.close()
    await bench.reopen()
    assert.equal(await bench.deliver(mail('next'), anna), 4)
    const again = await bench.view(anna)
    assert.equal(again.uidNext, 5)
    assert(again.modseq(3) > modseq)
    assert.equal(again.highestModseq, again.modseq(3))
  })

  on('a quota that runs out between RCPT and the commit fails the whole message', async (bench) => {
    const text = mail('x', 'x'.repeat(1000))
    const anna = await bench.account('anna@example.test', text.length * 3)
    const ben = await bench.account('ben@example.test')
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => bench.accept(text, [ben, anna])))
    assert.deepEqual(
      all.map((one) => (one.ok ? 'stored' : one.failure.kind)),
      ['stored', 'stored', 'stored', 'over-quota', 'over-quota'],
    )
    assert.equal((await bench.view(anna)).exists, 3)
    assert.equal((await bench.view(ben)).exists, 3, 'nobody has a message that was refused')
    const info = await bench.store.accounts.findAccount('anna@example.test')
    assert.equal(info?.usedBytes, text.length * 3)
  })

  on(
    'a message larger than the room left is taken while there is any, the next one is not',
    async (bench) => {
      const anna = await bench.account('anna@example.test', 100)
      assert((await bench.accept(mail('x', 'x'.repeat(1000)), [anna])).ok)
      const next = await bench.accept(mail('y'), [anna])
      assert(!next.ok && next.failure.kind === 'over-quota')
    },
  )

  on('a delivery to a mailbox that is gone goes to INBOX', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const stored = await bench.accept(mail('x'), [anna], { mailbox: 'Nowhere' })
    assert(stored.ok)
    assert.equal(stored.value[0]?.mailbox, 'INBOX')
    const kept = await bench.accept(mail('x'), [anna], { mailbox: 'Archive', flags: ['\\Seen', '$Label1'] })
    assert(kept.ok && kept.value[0]?.mailbox === 'Archive')
    assert.deepEqual((await bench.view(anna, 'Archive')).flags(1), ['\\Seen', '$Label1'])
  })

  on('a delivery to an account that is gone is a failure, not a loss', async (bench) => {
    const anna = await bench.account('anna@example.test')
    await bench.store.accounts.removeAccount('anna@example.test')
    const stored = await bench.accept(mail('x'), [anna])
    assert(!stored.ok && stored.failure.kind === 'no-such-account')
  })

  on('a body beyond its limit is too big, aborted and discarded ones leave nothing', async (bench) => {
    await bench.account('anna@example.test')
    const writer = bench.store.intake.body(100)
    await writer.write(Buffer.alloc(60))
    await writer.write(Buffer.alloc(60))
    const finished = await writer.finish()
    assert(!finished.ok && finished.failure.kind === 'too-big')
    const large = bench.store.intake.body(1 << 30)
    await large.write(Buffer.alloc(400_000))
    large.abort()
    const staged = await bench.stage(Buffer.alloc(400_000, 'x\r\n'))
    assert.equal(staged.sizeBytes, 400_000)
    staged.discard()
  })

  on('the header of a staged body ends with its empty line', async (bench) => {
    const staged = await bench.stage(mail('hello', 'body'))
    assert.equal(Buffer.from(staged.header).toString(), mail('hello', ''))
    staged.discard()
  })

  on('what was accepted is there after a restart, with its place in the trace', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const traceId = bench.traceId()
    await bench.deliver(mail('kept'), anna, {
      traceId,
      trace: [{ atMs: 5, kind: 'leniency', what: 'bare LF' }],
    })
    await bench.reopen()
    assert.match((await bench.octets(anna, await bench.view(anna), 1)).toString(), /kept/)
    const [trace] = await bench.store.traces.find({ id: traceId, limit: 1 })
    assert.deepEqual(trace?.events, [
      { atMs: 5, kind: 'leniency', what: 'bare LF' },
      { atMs: 1_000_000, kind: 'stored', account: 'anna@example.test', mailbox: 'INBOX', uid: 1 },
    ])
  })

  on('threads: an answer has the thread of what it answers', async (bench) => {
    const anna = await bench.account('anna@example.test')
    await bench.deliver(mail('one', '', 'Message-ID: <1@x.test>\r\n'), anna)
    await bench.deliver(mail('two', '', 'Message-ID: <2@x.test>\r\n'), anna)
    const answer = 'Message-ID: <3@x.test>\r\nReferences: <0@x.test> <1@x.test>\r\n'
    await bench.deliver(mail('Re: one', '', answer), anna)
    await bench.deliver(mail('Re: Re: one', '', 'In-Reply-To: <3@x.test>\r\n'), anna)
    const rows = await bench.rows(anna, await bench.view(anna), [1, 2, 3, 4], { emailId: true })
    const [one, two, three, four] = rows.map(({ threadId }) => threadId)
    assert.equal(three, one)
    assert.equal(four, one)
    assert.notEqual(two, one)
    assert.equal(new Set(rows.map(({ emailId }) => emailId)).size, 4)
  })
}
