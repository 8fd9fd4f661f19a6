import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startHouse } from './house.test-kit.ts'

const house = await startHouse({ smtp: { max_message: '64 KiB' } })
after(() => house.stop())

test('APPEND: flags, date with its zone, synchronizing or not, TRYCREATE, TOOBIG', async () => {
  await house.imap(
    await house.account(),
    String.raw`
    C: a1 APPEND nosuch {5}
    S: a1 NO [TRYCREATE] <*>
    C- a2 APPEND nosuch {5+}\r\nhello\r\n
    S: a2 NO [TRYCREATE] <*>
    C: a3 APPEND INBOX {100000}
    S: a3 NO [TOOBIG] <*>
    C- a4 APPEND INBOX (\Seen \Flagged keyword) "24-Nov-2026 10:11:12 +0900" {5}\r\n
    S: + <*>
    C: hello
    S: a4 OK [APPENDUID <#validity> 1] <*>
    C- a5 APPEND INBOX () "01-Jan-2020 00:00:00 -1145" {5+}\r\nhello\r\n
    S: a5 OK [APPENDUID <validity> 2] <*>
    C: b1 SELECT INBOX
    S> b1 OK <*>
    C: b2 FETCH 1:2 (FLAGS INTERNALDATE RFC822.SIZE)
    S: * 1 FETCH (FLAGS (\Flagged \Seen keyword \Recent) INTERNALDATE "24-Nov-2026 10:11:12 +0900" RFC822.SIZE 5)
    S: * 2 FETCH (FLAGS (\Recent) INTERNALDATE " 1-Jan-2020 00:00:00 -1145" RFC822.SIZE 5)
    S: b2 OK <*>
    C: b3 APPEND INBOX "31-Feb-2020 00:00:00 +0000" {5}
    S: b3 BAD <*>
    C: b4 APPEND INBOX (\Recent) {5}
    S: b4 BAD <*>
    C- b5 APPEND INBOX (\Draft) {5+}\r\nhello\r\n
    S: * <#> EXISTS
    S: * <#> RECENT
    S: b5 OK <*>
  `,
  )
})

test('a mailbox that another session removes between two APPENDs of one connection is missed by the second', async () => {
  const me = await house.account()
  const [wire, other] = [await house.open('imaps'), await house.open('imaps')]
  for (const each of [wire, other]) {
    await each.line()
    each.send(`l LOGIN ${me.login} ${me.password}\r\n`)
    await each.line()
  }
  wire.send('c CREATE Gone\r\na APPEND Gone {5+}\r\nhello\r\n')
  assert.match(await wire.line(), /^c OK/)
  assert.match(await wire.line(), /^a OK \[APPENDUID/)
  other.send('d DELETE Gone\r\n')
  assert.match(await other.line(), /^d OK/)
  wire.send('b APPEND Gone {5+}\r\nhello\r\nn NOOP\r\n')
  assert.match(await wire.line(), /^b NO \[TRYCREATE\]/)
  assert.match(await wire.line(), /^n OK/)
  wire.socket.destroy()
  other.socket.destroy()
})

test('an APPEND too big without waiting is read, dropped and refused; the connection goes on', async () => {
  const me = await house.account()
  const wire = await house.open('imaps')
  await wire.line()
  wire.send(`l LOGIN ${me.login} ${me.password}\r\n`)
  await wire.line()
  wire.send(`a APPEND INBOX {70000+}\r\n${'x'.repeat(70_000)}\r\nb NOOP\r\n`)
  assert.match(await wire.line(), /^a NO \[TOOBIG\]/)
  assert.match(await wire.line(), /^b OK/)
  wire.socket.destroy()
})

test('a client that goes within its APPEND leaves no message', async () => {
  const me = await house.account()
  const wire = await house.open('imaps')
  await wire.line()
  wire.send(`l LOGIN ${me.login} ${me.password}\r\n`)
  await wire.line()
  wire.send(`a APPEND INBOX {1000+}\r\n${'x'.repeat(500)}`)
  await new Promise((resolve) => setTimeout(resolve, 20))
  wire.socket.destroy()
  await house.imap(
    me,
    `
    C: a1 STATUS INBOX (MESSAGES UIDNEXT)
    S: * STATUS INBOX (MESSAGES 0 UIDNEXT 1)
    S: a1 OK <*>
  `,
  )
  assert.deepEqual(house.logged('server.fault'), [])
})

test('over quota: APPEND and COPY are refused with OVERQUOTA, MOVE is not', async () => {
  const me = await house.account(undefined, { quota: '1 KiB' })
  const big = `Subject: x\r\n\r\n${'y'.repeat(700)}\r\n`
  const wire = await house.open('imaps')
  await wire.line()
  wire.send(`l LOGIN ${me.login} ${me.password}\r\n`)
  await wire.line()
  wire.send(`a APPEND INBOX {${big.length}+}\r\n${big}\r\n`)
  assert.match(await wire.line(), /^a OK/)
  wire.send(`b APPEND INBOX {${big.length}+}\r\n${big}\r\n`)
  assert.match(await wire.line(), /^b NO \[OVERQUOTA\]/)
  wire.socket.destroy()
  await house.imap(
    me,
    `
    C: a1 SELECT INBOX
    S> a1 OK <*>
    C: a2 COPY 1 Trash
    S: a2 NO [OVERQUOTA] <*>
    C: a3 MOVE 1 Trash
    S: * OK [COPYUID <#> 1 1] <*>
    S: * 1 EXPUNGE
    S: a3 OK <*>
    C: a4 STATUS Trash (MESSAGES)
    S: * STATUS Trash (MESSAGES 1)
    S: a4 OK <*>
  `,
  )
})

test('COPY and MOVE: COPYUID, flags and date kept, all or nothing, TRYCREATE', async () => {
  await house.imap(
    await house.account(),
    String.raw`
    C- p1 APPEND INBOX (\Seen $k) " 2-Mar-2001 03:04:05 +0530" {3+}\r\nx\r\n\r\n
    S: p1 OK <*>
    C- p2 APPEND INBOX {3+}\r\ny\r\n\r\n
    S: p2 OK <*>
    C- p3 APPEND INBOX {3+}\r\nz\r\n\r\n
    S: p3 OK <*>
    C: a1 SELECT INBOX
    S> a1 OK <*>
    C: a2 COPY 1:2 nosuch
    S: a2 NO [TRYCREATE] <*>
    C: a3 COPY 1:9 Archive
    S: a3 BAD <*>
    C: a4 COPY 3,1 Archive
    S: a4 OK [COPYUID <#validity> 1,3 1:2] <*>
    C: a5 UID COPY 99 Archive
    S: a5 OK <*>
    C: a6 UID COPY 2 Archive
    S: a6 OK [COPYUID <validity> 2 3] <*>
    C: a7 COPY 1 INBOX
    S: * 4 EXISTS
    S> a7 OK [COPYUID <#> 1 4] <*>
    C: a8 UID MOVE 2:3 Trash
    S: * OK [COPYUID <#> 2:3 1:2] <*>
    S> * 3 EXPUNGE
    S: * 2 EXPUNGE
    S: a8 OK <*>
    C: a9 MOVE 1 nosuch
    S: a9 NO [TRYCREATE] <*>
    C: b1 SELECT Archive
    S> b1 OK <*>
    C: b2 FETCH 1 (FLAGS INTERNALDATE)
    S: * 1 FETCH (FLAGS (\Seen $k \Recent) INTERNALDATE " 2-Mar-2001 03:04:05 +0530")
    S: b2 OK <*>
    C: b3 STORE 1:3 +FLAGS.SILENT (\Deleted)
    S: b3 OK <*>
    C: b4 UID EXPUNGE 2
    S: * 2 EXPUNGE
    S: b4 OK <*>
    C: b5 UID EXPUNGE 77
    S: b5 OK <*>
    C: b6 EXPUNGE
    S: * 2 EXPUNGE
    S: * 1 EXPUNGE
    S: b6 OK <*>
  `,
  )
})

test('STORE: set, add, take away, silent, keywords, and what is no flag', async () => {
  await house.imap(
    await house.account(),
    String.raw`
    C- p1 APPEND INBOX {3+}\r\nx\r\n\r\n
    S: p1 OK <*>
    C: a1 SELECT INBOX
    S> a1 OK <*>
    C: a2 STORE 1 FLAGS (\Seen \Draft)
    S: * 1 FETCH (FLAGS (\Seen \Draft \Recent))
    S: a2 OK <*>
    C: a3 STORE 1 +FLAGS \Flagged
    S: * 1 FETCH (FLAGS (\Flagged \Seen \Draft \Recent))
    S: a3 OK <*>
    C: a4 STORE 1 -FLAGS (\Draft \Answered)
    S: * 1 FETCH (FLAGS (\Flagged \Seen \Recent))
    S: a4 OK <*>
    C: a5 STORE 1 +FLAGS ($Forwarded NonJunk)
    S> * 1 FETCH (FLAGS (\Flagged \Seen $Forwarded NonJunk \Recent))
    S> a5 OK <*>
    C: a6 STORE 1 +FLAGS (nonjunk)
    S: * 1 FETCH (FLAGS (\Flagged \Seen $Forwarded NonJunk \Recent))
    S: a6 OK <*>
    C: a7 STORE 1 FLAGS.SILENT ()
    S: a7 OK <*>
    C: a8 FETCH 1 FLAGS
    S: * 1 FETCH (FLAGS (\Recent))
    S: a8 OK <*>
    C: a9 STORE 1 FLAGS (\NoSuch)
    S: a9 <*>
    C: b1 STORE 1 +FLAGS (a{b)
    S: b1 BAD <*>
    C: b2 STORE 2 +FLAGS (\Seen)
    S: b2 BAD <*>
    C: b3 UID STORE 2 +FLAGS (\Seen)
    S: b3 OK <*>
    C: b4 STORE 1 MOREFLAGS (\Seen)
    S: b4 BAD <*>
  `,
  )
})
