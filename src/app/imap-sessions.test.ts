import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Account, startHouse } from './house.test-kit.ts'

const house = await startHouse()
after(() => house.stop())

/** An account with messages of one line each, the flags as given. */
async function filled(...flags: readonly string[]): Promise<Account> {
  const me = await house.account()
  const lines = flags.map(
    (flag, i) => String.raw`
      C- p${i} APPEND INBOX (${flag}) {15+}\r\nSubject: m${i}\r\n\r\n\r\n
      S: p${i} OK <*>`,
  )
  await house.imap(me, lines.join('\n'))
  return me
}

test('rfc3501 §7.4.1: EXPUNGE waits while the other session fetches, stores or searches by number', async () => {
  const me = await filled('', '', '', '')
  await house.imap(
    me,
    String.raw`
    A: C: a1 SELECT INBOX
    A: S> a1 OK <*>
    B: C: b1 SELECT INBOX
    B: S> b1 OK <*>
    A: C: a2 STORE 2 +FLAGS.SILENT (\Deleted)
    A: S: a2 OK <*>
    A: C: a3 EXPUNGE
    A: S: * 2 EXPUNGE
    A: S: a3 OK <*>
    B: C: b2 FETCH 2 (UID RFC822.SIZE)
    B: S: * 2 FETCH (UID 2 RFC822.SIZE 15)
    B: S> b2 OK <*>
    B: C: b3 FETCH 2 BODY.PEEK[HEADER]
    B: S: * 2 FETCH (BODY[HEADER] {15}
    B: S: Subject: m1
    B: S: 
    B: S: )
    B: S: b3 OK <*>
    B: C: b4 SEARCH ALL
    B: S: * SEARCH 1 2 3 4
    B: S: b4 OK <*>
    B: C: b5 STORE 3 +FLAGS (\Flagged)
    B: S: * 3 FETCH (FLAGS (<*>\Flagged<*>))
    B: S: b5 OK <*>
    B: C: b6 STORE 2 +FLAGS (\Flagged)
    B: S> b6 <*>
    B: C: b7 UID FETCH 3 (FLAGS)
    B: S: * 3 FETCH (UID 3 FLAGS (<*>))
    B: S: * 2 EXPUNGE
    B: S: b7 OK <*>
    B: C: b8 FETCH 2 UID
    B: S: * 2 FETCH (UID 3)
    B: S: b8 OK <*>
  `,
  )
})

test('EXISTS, RECENT, flags and keywords of another session come with the next command', async () => {
  const me = await filled('')
  await house.imap(
    me,
    String.raw`
    A: C: a1 SELECT INBOX
    A: S: * FLAGS <*>
    A: S: * 1 EXISTS
    A: S: * 1 RECENT
    A: S> a1 OK <*>
    B: C: b1 SELECT INBOX
    B: S: * FLAGS <*>
    B: S: * 1 EXISTS
    B: S: * 0 RECENT
    B: S> b1 OK <*>
    B: C- b2 APPEND INBOX {3+}\r\nx\r\n\r\n
    B: S: * 2 EXISTS
    B: S: * <#recentB> RECENT
    B: S: b2 OK [APPENDUID <#> 2] <*>
    A: C: a2 NOOP
    A: S: * 2 EXISTS
    A: S> a2 OK <*>
    A: C: a3 STORE 1 +FLAGS (\Answered $Mine)
    A: S> * 1 FETCH (FLAGS (\Answered $Mine \Recent))
    A: S> a3 OK <*>
    B: C: b3 NOOP
    B: S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Mine)
    B: S: * 1 FETCH (FLAGS (\Answered $Mine))
    B: S: b3 OK <*>
    B: C: b4 NOOP
    B: S: b4 OK <*>
    B: C: b5 UID STORE 1 -FLAGS (\Answered)
    B: S: * 1 FETCH (UID 1 FLAGS ($Mine))
    B: S: b5 OK <*>
    A: C: a4 CHECK
    A: S: * 1 FETCH (FLAGS ($Mine \Recent))
    A: S: a4 OK <*>
    A: C: a5 STORE 1:2 FLAGS.SILENT (\Seen)
    A: S: a5 OK <*>
    B: C: b6 NOOP
    B: S: * 1 FETCH (FLAGS (\Seen))
    B: S: * 2 FETCH (FLAGS (\Seen<*>))
    B: S: b6 OK <*>
  `,
  )
})

test('rfc2177: IDLE pushes arrivals, flags and expunges at once', async () => {
  const me = await filled('', '')
  const idle = house.imap(
    me,
    String.raw`
    A: C: a1 SELECT INBOX
    A: S> a1 OK <*>
    B: C: b1 SELECT INBOX
    B: S> b1 OK <*>
    A: C: a2 IDLE
    A: S: + idling
    B: C: b2 STORE 1 +FLAGS (\Deleted)
    B: S> b2 OK <*>
    A: S: * 1 FETCH (FLAGS (\Deleted \Recent))
    B: C: b3 EXPUNGE
    B: S: * 1 EXPUNGE
    B: S: b3 OK <*>
    A: S: * 1 EXPUNGE
    B: C- b4 APPEND INBOX {3+}\r\nx\r\n\r\n
    B: S> b4 OK <*>
    A: S: * 2 EXISTS
    A: C: DONE
    A: S: a2 OK <*>
    A: C: a3 IDLE
    A: S: + idling
    A: C: NOOP
    A: S: a3 BAD <*>
    A: C: a4 NOOP
    A: S: a4 OK <*>
  `,
  )
  await idle
})

test('a delivery by SMTP reaches a client in IDLE, and one outside of it with its next command', async () => {
  const me = await filled('')
  const [idle, quiet] = await Promise.all([house.open('imaps'), house.open('imaps')])
  for (const wire of [idle, quiet]) {
    await wire.line()
    wire.send(`a LOGIN ${me.login} ${me.password}\r\nb SELECT INBOX\r\n`)
    while (!(await wire.line()).startsWith('b OK'));
  }
  idle.send('c IDLE\r\n')
  await idle.line()
  await house.deliver(me.login, 'Subject: new\r\n\r\nhello\r\n')
  const line = await idle.line()
  if (line !== '* 2 EXISTS') throw new Error(line)
  if (quiet.pending !== '') throw new Error(`pushed outside of IDLE: ${quiet.pending}`)
  quiet.send('d NOOP\r\n')
  const told = await quiet.line()
  if (told !== '* 2 EXISTS') throw new Error(told)
  idle.socket.destroy()
  quiet.socket.destroy()
})

test('rfc3501 §2.3.2: \\Recent is for the first session that selects, once', async () => {
  const me = await filled('')
  await house.imap(
    me,
    String.raw`
    A: C: a1 STATUS INBOX (RECENT)
    A: S: * STATUS INBOX (RECENT 1)
    A: S: a1 OK <*>
    A: C: a2 EXAMINE INBOX
    A: S> * 1 RECENT
    A: S> a2 OK <*>
    A: C: a3 STORE 1 +FLAGS (\Recent)
    A: S: a3 <*>
    B: C: b1 SELECT INBOX
    B: S> * 1 RECENT
    B: S> b1 OK <*>
    B: C: b2 SEARCH RECENT
    B: S: * SEARCH 1
    B: S: b2 OK <*>
    B: C: b3 SEARCH NEW
    B: S: * SEARCH 1
    B: S: b3 OK <*>
    B: C: b4 STORE 1 FLAGS (\Seen)
    B: S: * 1 FETCH (FLAGS (\Seen \Recent))
    B: S: b4 OK <*>
    B: C: b5 STORE 1 FLAGS (\Recent)
    B: S: b5 BAD <*>
    A: C: a4 SELECT INBOX
    A: S> * 0 RECENT
    A: S> a4 OK <*>
    A: C: a5 SEARCH OLD
    A: S: * SEARCH 1
    A: S: a5 OK <*>
  `,
  )
})

test('a mailbox that is deleted under a session ends it; one that is renamed goes on', async () => {
  const me = await house.account()
  await house.imap(
    me,
    String.raw`
    A: C- a0 CREATE doomed\r\n
    A: S: a0 OK <*>
    A: C: a1 SELECT doomed
    A: S> a1 OK <*>
    B: C: b0 CREATE moved
    B: S: b0 OK <*>
    B: C: b1 SELECT moved
    B: S> b1 OK <*>
    B: C: b2 DELETE doomed
    B: S: b2 OK <*>
    A: C: a2 NOOP
    A: S> * BYE <*>
    A: --- close
    B: C: b3 RENAME moved elsewhere
    B: S: b3 OK <*>
    B: C- b4 APPEND elsewhere {3+}\r\nx\r\n\r\n
    B: S: * 1 EXISTS
    B: S: * 1 RECENT
    B: S: b4 OK <*>
    B: C: b5 FETCH 1 UID
    B: S: * 1 FETCH (UID 1)
    B: S: b5 OK <*>
  `,
  )
})

test('MOVE and COPY are seen by the other session; a pipelined burst is answered in order', async () => {
  const me = await filled('', '', '')
  await house.imap(
    me,
    String.raw`
    A: C: a1 SELECT INBOX
    A: S> a1 OK <*>
    B: C: b1 SELECT INBOX
    B: S> b1 OK <*>
    A: C: a2 MOVE 1,3 Trash
    A: S: * OK [COPYUID <#> 1,3 1:2] <*>
    A: S: * 3 EXPUNGE
    A: S: * 1 EXPUNGE
    A: S: a2 OK <*>
    B: C: b2 NOOP
    B: S> b2 OK <*>
    B: C: b3 FETCH 1:* UID
    B: S: * 1 FETCH (UID 2)
    B: S: b3 OK <*>
    B: C- b4 NOOP\r\nb5 FETCH 1 UID\r\nb6 SEARCH ALL\r\nb7 CLOSE\r\nb8 NOOP\r\n
    B: S: b4 OK <*>
    B: S: * 1 FETCH (UID 2)
    B: S: b5 OK <*>
    B: S: * SEARCH 1
    B: S: b6 OK <*>
    B: S: b7 OK <*>
    B: S: b8 OK <*>
  `,
  )
})

test('what another session has expunged: FETCH of a section, STORE and COPY by the one that still sees it', async () => {
  const me = await filled('', '', '')
  await house.imap(
    me,
    String.raw`
    A: C: a1 SELECT INBOX
    A: S> a1 OK <*>
    B: C: b1 SELECT INBOX
    B: S> b1 OK <*>
    A: C: a2 STORE 1,2 +FLAGS.SILENT (\Deleted)
    A: S: a2 OK <*>
    A: C: a3 EXPUNGE
    A: S> a3 OK <*>
    B: C: b2 FETCH 2 (BODY[HEADER] FLAGS)
    B: S: * 2 FETCH (BODY[HEADER] {15}
    B: S: Subject: m1
    B: S:
    B: S: FLAGS (<*>))
    B: S> b2 OK <*>
    B: C: b3 STORE 1:3 +FLAGS.SILENT (\Flagged)
    B: S> b3 OK <*>
    B: C: b4 COPY 1:3 Archive
    B: S> b4 OK [COPYUID <#> 3 1] <*>
    B: C: b5 FETCH 1 FLAGS
    B: S: * 1 FETCH (FLAGS (\Flagged))
    B: S: b5 OK <*>
  `.replace('B: S: FLAGS (<*>))', 'B: S: <*>FLAGS (<*>))'),
  )
})

test('a large body that is expunged while it is sent comes whole', async () => {
  const me = await house.account()
  const content = `Subject: big\r\n\r\n${`${'x'.repeat(78)}\r\n`.repeat(200_000)}`
  const [slow, other] = [await house.open('imaps'), await house.open('imaps')]
  for (const wire of [slow, other]) {
    await wire.line()
    wire.send(`l LOGIN ${me.login} ${me.password}\r\n`)
    await wire.line()
  }
  other.send(`p APPEND INBOX {${content.length}+}\r\n${content}\r\n`)
  assert.match(await other.line(), /^p OK/)
  for (const wire of [slow, other]) {
    wire.send('s SELECT INBOX\r\n')
    while (!(await wire.line()).startsWith('s OK'));
  }
  slow.socket.pause()
  slow.send('f FETCH 1 BODY.PEEK[]\r\n')
  await new Promise((resolve) => setTimeout(resolve, 50))
  other.send('d STORE 1 +FLAGS.SILENT (\\Deleted)\r\ne EXPUNGE\r\n')
  while (!(await other.line()).startsWith('e OK'));
  slow.socket.resume()
  assert.equal(await slow.line(), `* 1 FETCH (BODY[] {${content.length}}`)
  assert.equal((await slow.octets(content.length)).toString('latin1'), content)
  assert.equal(await slow.line(), ')')
  slow.send('n NOOP\r\n')
  const told: string[] = []
  while (!told.at(-1)?.startsWith('n OK')) told.push(await slow.line())
  assert.ok(told.includes('* 1 EXPUNGE'), told.join('|'))
  slow.socket.destroy()
  other.socket.destroy()
})
