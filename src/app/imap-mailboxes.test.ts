import { after, test } from 'node:test'
import { startHouse } from './house.test-kit.ts'

const house = await startHouse()
after(() => house.stop())

test('a new account has its mailboxes with their special uses at once', async () => {
  await house.imap(
    await house.account(),
    String.raw`
    C: a1 LIST "" "*"
    S: * LIST (\HasNoChildren) "/" INBOX
    S: * LIST (\HasNoChildren \Archive) "/" Archive
    S: * LIST (\HasNoChildren \Drafts) "/" Drafts
    S: * LIST (\HasNoChildren \Junk) "/" Junk
    S: * LIST (\HasNoChildren \Sent) "/" Sent
    S: * LIST (\HasNoChildren \Trash) "/" Trash
    S: a1 OK <*>
    C: a2 LSUB "" "*"
    S: * LSUB () "/" INBOX
    S: * LSUB () "/" Archive
    S: * LSUB () "/" Drafts
    S: * LSUB () "/" Junk
    S: * LSUB () "/" Sent
    S: * LSUB () "/" Trash
    S: a2 OK <*>
    C: a3 LIST (SPECIAL-USE) "" "*"
    S: * LIST (\HasNoChildren \Archive) "/" Archive
    S: * LIST (\HasNoChildren \Drafts) "/" Drafts
    S: * LIST (\HasNoChildren \Junk) "/" Junk
    S: * LIST (\HasNoChildren \Sent) "/" Sent
    S: * LIST (\HasNoChildren \Trash) "/" Trash
    S: a3 OK <*>
    C: a4 LIST "" ("INBOX" "D%") RETURN (SPECIAL-USE SUBSCRIBED CHILDREN STATUS (MESSAGES UIDNEXT))
    S: * LIST (\HasNoChildren \Subscribed) "/" INBOX
    S: * STATUS INBOX (MESSAGES 0 UIDNEXT 1)
    S: * LIST (\HasNoChildren \Drafts \Subscribed) "/" Drafts
    S: * STATUS Drafts (MESSAGES 0 UIDNEXT 1)
    S: a4 OK <*>
  `,
  )
})

test('LIST: patterns, reference, the separator, INBOX in any case', async () => {
  await house.imap(
    await house.account(),
    String.raw`
    C: a1 CREATE a/b/c
    S: a1 OK <*>
    C: a2 LIST "" "a*"
    S: * LIST (\HasChildren) "/" a
    S: * LIST (\HasChildren) "/" a/b
    S: * LIST (\HasNoChildren) "/" a/b/c
    S: a2 OK <*>
    C: a3 LIST "" "a/%"
    S: * LIST (\HasChildren) "/" a/b
    S: a3 OK <*>
    C: a4 LIST a/ "%"
    S: * LIST (\HasChildren) "/" a/b
    S: a4 OK <*>
    C: a5 LIST "a/b/" *
    S: * LIST (\HasNoChildren) "/" a/b/c
    S: a5 OK <*>
    C: a6 LIST "" "%/%/c"
    S: * LIST (\HasNoChildren) "/" a/b/c
    S: a6 OK <*>
    C: a7 LIST "" ""
    S: * LIST (\Noselect) "/" ""
    S: a7 OK <*>
    C: a8 LIST a/b ""
    S: * LIST (\Noselect) "/" <*>
    S: a8 OK <*>
    C: a9 LIST "" inbox
    S: * LIST (\HasNoChildren) "/" INBOX
    S: a9 OK <*>
    C: b1 LIST "" nosuch
    S: b1 OK <*>
    C: b2 CREATE inbox
    S: b2 NO [<*>] <*>
    C: b3 CREATE a
    S: b3 NO [ALREADYEXISTS] <*>
    C: b4 CREATE a/b
    S: b4 NO [ALREADYEXISTS] <*>
    C: b5 CREATE d/
    S: b5 OK <*>
    C: b6 LIST "" "d*"
    S: * LIST (\HasNoChildren) "/" d
    S: b6 OK <*>
    C: b7 CREATE "x//y"
    S: b7 NO [CANNOT] <*>
    C: b8 CREATE INBOX/sub
    S: b8 OK <*>
    C: b9 LIST "" "INBOX*"
    S: * LIST (\HasChildren) "/" INBOX
    S: * LIST (\HasNoChildren) "/" INBOX/sub
    S: b9 OK <*>
  `,
  )
})

test('mailbox names in modified UTF-7', async () => {
  await house.imap(
    await house.account(),
    String.raw`
    C: a1 CREATE &ZeVnLIqe-/R&AOk-sum&AOk-
    S: a1 OK <*>
    C: a2 LIST "" "&ZeVnLIqe-*"
    S: * LIST (\HasChildren) "/" &ZeVnLIqe-
    S: * LIST (\HasNoChildren) "/" &ZeVnLIqe-/R&AOk-sum&AOk-
    S: a2 OK <*>
    C: a3 CREATE "a&b"
    S: a3 <*>
    C: a4 CREATE "R&-D"
    S: a4 OK <*>
    C: a5 LIST "" "R*"
    S: * LIST (\HasNoChildren) "/" R&-D
    S: a5 OK <*>
    C: a6 SELECT &ZeVnLIqe-/R&AOk-sum&AOk-
    S> a6 OK [READ-WRITE] <*>
    C: a7 STATUS &ZeVnLIqe- (MESSAGES)
    S: * STATUS &ZeVnLIqe- (MESSAGES 0)
    S: a7 OK <*>
  `,
  )
})

test('rfc3501 §6.3.4: DELETE leaves a parent as \\Noselect, which goes with its last child', async () => {
  await house.imap(
    await house.account(),
    String.raw`
    C: a1 CREATE foo/bar
    S: a1 OK <*>
    C: a2 DELETE foo
    S: a2 OK <*>
    C: a3 LIST "" foo*
    S: * LIST (\Noselect \HasChildren) "/" foo
    S: * LIST (\HasNoChildren) "/" foo/bar
    S: a3 OK <*>
    C: a4 SELECT foo
    S: a4 NO [NONEXISTENT] <*>
    C: a5 DELETE foo
    S: a5 NO [<*>] <*>
    C: a6 STATUS foo (MESSAGES)
    S: a6 NO [NONEXISTENT] <*>
    C: a7 CREATE foo
    S: a7 OK <*>
    C: a8 SELECT foo
    S> a8 OK <*>
    C: a9 DELETE foo/bar
    S: a9 OK <*>
    C: b1 DELETE INBOX
    S: b1 NO [CANNOT] <*>
    C: b2 DELETE nosuch
    S: b2 NO [NONEXISTENT] <*>
    C: b3 DELETE Sent
    S: b3 <*>
  `,
  )
})

test('a mailbox made anew never has an old UIDVALIDITY with old UIDs', async () => {
  await house
    .imap(
      await house.account(),
      String.raw`
    C: a1 CREATE again
    S: a1 OK <*>
    C- a2 APPEND again {3+}\r\nx\r\n\r\n
    S: a2 OK [APPENDUID <#old> 1] <*>
    C: a3 DELETE again
    S: a3 OK <*>
    C: a4 CREATE again
    S: a4 OK <*>
    C: a5 STATUS again (UIDVALIDITY UIDNEXT)
    S: * STATUS again (UIDVALIDITY <#new> UIDNEXT <#next>)
    S: a5 OK <*>
  `,
    )
    .then((values) => {
      const [old, now, next] = ['old', 'new', 'next'].map((name) => Number(values.get(name)))
      if (now === undefined || old === undefined || next === undefined) throw new Error('not told')
      if (!(now > old || (now === old && next > 1))) throw new Error(`${old} ${now} ${next}`)
    })
})

test('RENAME takes children along, makes parents, keeps UIDs, and refuses what cannot be', async () => {
  await house.imap(
    await house.account(),
    String.raw`
    C: a1 CREATE one/two
    S: a1 OK <*>
    C- a2 APPEND one/two {3+}\r\nx\r\n\r\n
    S: a2 OK [APPENDUID <#validity> 1] <*>
    C: a3 RENAME one new/deep
    S: a3 OK <*>
    C: a4 LIST "" "new*"
    S: * LIST (<*>\HasChildren) "/" new
    S: * LIST (\HasChildren) "/" new/deep
    S: * LIST (\HasNoChildren) "/" new/deep/two
    S: a4 OK <*>
    C: a5 LIST "" "one*"
    S: a5 OK <*>
    C: a6 STATUS new/deep/two (UIDVALIDITY UIDNEXT MESSAGES)
    S: * STATUS new/deep/two (UIDVALIDITY <validity> UIDNEXT 2 MESSAGES 1)
    S: a6 OK <*>
    C: a7 RENAME nosuch other
    S: a7 NO [NONEXISTENT] <*>
    C: a8 RENAME new/deep Sent
    S: a8 NO [ALREADYEXISTS] <*>
    C: a9 RENAME new new/deep/below
    S: a9 NO [<*>] <*>
    C: b1 RENAME Sent INBOX
    S: b1 NO [<*>] <*>
  `,
  )
})

test('rfc3501 §6.3.5: RENAME INBOX moves its messages and leaves it empty', async () => {
  await house.imap(
    await house.account(),
    String.raw`
    C: a0 CREATE INBOX/child
    S: a0 OK <*>
    C- a1 APPEND INBOX (\Seen keep) {3+}\r\nx\r\n\r\n
    S: a1 OK [APPENDUID <#validity> 1] <*>
    C: a2 RENAME INBOX old-mail
    S: a2 OK <*>
    C: a3 STATUS INBOX (MESSAGES UIDNEXT)
    S: * STATUS INBOX (MESSAGES 0 UIDNEXT 2)
    S: a3 OK <*>
    C: a4 SELECT old-mail
    S> a4 OK <*>
    C: a5 FETCH 1 (FLAGS RFC822.SIZE)
    S: * 1 FETCH (FLAGS (\Seen keep<*>) RFC822.SIZE 3)
    S: a5 OK <*>
    C: a6 LIST "" "INBOX/*"
    S: * LIST (\HasNoChildren) "/" INBOX/child
    S: a6 OK <*>
    C: a7 LIST "" "old-mail*"
    S: * LIST (\HasNoChildren) "/" old-mail
    S: a7 OK <*>
  `,
  )
})

test('rfc3501 §6.3.6, §6.3.9: subscriptions outlive their mailbox; LSUB with % tells parents', async () => {
  await house.imap(
    await house.account(),
    String.raw`
    C: a1 CREATE foo/bar/baz
    S: a1 OK <*>
    C: a2 SUBSCRIBE foo/bar/baz
    S: a2 OK <*>
    C: a3 UNSUBSCRIBE foo
    S: a3 OK <*>
    C: a4 UNSUBSCRIBE foo/bar
    S: a4 OK <*>
    C: a5 LSUB "" "foo*"
    S: * LSUB () "/" foo/bar/baz
    S: a5 OK <*>
    C: a6 LSUB "" "foo/%"
    S: * LSUB (\Noselect) "/" foo/bar
    S: a6 OK <*>
    C: a7 LSUB "" "f%"
    S: * LSUB (\Noselect) "/" foo
    S: a7 OK <*>
    C: a8 DELETE foo/bar/baz
    S: a8 OK <*>
    C: a9 LSUB "" "foo*"
    S: * LSUB (<*>) "/" foo/bar/baz
    S: a9 OK <*>
    C: b1 SUBSCRIBE not/there
    S: b1 OK <*>
    C: b2 LIST (SUBSCRIBED) "" "not*"
    S: * LIST (\NonExistent \HasNoChildren \Subscribed) "/" not/there
    S: b2 OK <*>
    C: b3 LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"
    S> * LIST (\HasChildren) "/" foo ("CHILDINFO" ("SUBSCRIBED"))
    S: * LIST (\NonExistent \HasNoChildren) "/" not ("CHILDINFO" ("SUBSCRIBED"))
    S: b3 OK <*>
    C: b4 UNSUBSCRIBE not/there
    S: b4 OK <*>
    C: b5 LSUB "" "not*"
    S: b5 OK <*>
    C: b6 UNSUBSCRIBE not/there
    S: b6 <*>
    C: b7 LSUB "" INBOX
    S: * LSUB () "/" INBOX
    S: b7 OK <*>
  `,
  )
})

test('SELECT tells all that rfc3501 §6.3.1 asks for; a failed one deselects', async () => {
  await house.imap(
    await house.account(),
    String.raw`
    C- a1 APPEND INBOX (\Seen) {3+}\r\nx\r\n\r\n
    S: a1 OK <*>
    C- a2 APPEND INBOX ($Later) {3+}\r\nx\r\n\r\n
    S: a2 OK <*>
    C: a3 SELECT INBOX
    S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Later)
    S: * 2 EXISTS
    S: * 2 RECENT
    S: * OK [UNSEEN 2] <*>
    S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Later \*)] <*>
    S: * OK [UIDNEXT 3] <*>
    S: * OK [UIDVALIDITY <#validity>] <*>
    S: a3 OK [READ-WRITE] <*>
    C: a4 STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN SIZE APPENDLIMIT)
    S: * STATUS INBOX (MESSAGES 2 RECENT 0 UIDNEXT 3 UIDVALIDITY <validity> UNSEEN 1 SIZE 6 APPENDLIMIT 52428800)
    S: a4 OK <*>
    C: a5 EXAMINE INBOX
    S> * 2 EXISTS
    S: * 0 RECENT
    S> * OK [PERMANENTFLAGS ()] <*>
    S> a5 OK [READ-ONLY] <*>
    C: a6 SELECT nosuch
    S: a6 NO [NONEXISTENT] <*>
    C: a7 FETCH 1 FLAGS
    S: a7 BAD <*>
    C: a8 STATUS nosuch (MESSAGES)
    S: a8 NO [NONEXISTENT] <*>
    C: a9 STATUS INBOX ()
    S: a9 BAD <*>
    C: b1 STATUS INBOX (NOSUCH)
    S: b1 BAD <*>
  `,
  )
})

test('EXAMINE lets nothing be changed, nor \\Recent be taken', async () => {
  await house.imap(
    await house.account(),
    String.raw`
    C- a1 APPEND INBOX (\Deleted) {3+}\r\nx\r\n\r\n
    S: a1 OK <*>
    C: a2 EXAMINE INBOX
    S> * 1 RECENT
    S> a2 OK [READ-ONLY] <*>
    C: a3 STORE 1 +FLAGS (\Seen)
    S: a3 NO <*>
    C: a4 EXPUNGE
    S: a4 NO <*>
    C: a5 UID EXPUNGE 1
    S: a5 NO <*>
    C: a6 MOVE 1 Trash
    S: a6 NO <*>
    C: a7 FETCH 1 (BODY[] FLAGS)
    S: * 1 FETCH (BODY[] {3}
    S: x
    S: <*>FLAGS (\Deleted \Recent))
    S: a7 OK <*>
    C: a8 COPY 1 Trash
    S: a8 OK [COPYUID <#> 1 1] <*>
    C: a9 CLOSE
    S: a9 OK <*>
    C: b1 SELECT INBOX
    S> * 1 EXISTS
    S: * 1 RECENT
    S> b1 OK [READ-WRITE] <*>
    C: b2 CLOSE
    S: b2 OK <*>
    C: b3 STATUS INBOX (MESSAGES)
    S: * STATUS INBOX (MESSAGES 0)
    S: b3 OK <*>
  `,
  )
})

test('CLOSE expunges silently, UNSELECT keeps', async () => {
  await house.imap(
    await house.account(),
    String.raw`
    C- a1 APPEND INBOX (\Deleted) {3+}\r\nx\r\n\r\n
    S: a1 OK <*>
    C: a2 SELECT INBOX
    S> a2 OK <*>
    C: a3 UNSELECT
    S: a3 OK <*>
    C: a4 UNSELECT
    S: a4 BAD <*>
    C: a5 SELECT INBOX
    S> * 1 EXISTS
    S> a5 OK <*>
    C: a6 CLOSE
    S: a6 OK <*>
    C: a7 SELECT INBOX
    S> * 0 EXISTS
    S> * OK [UIDNEXT 2] <*>
    S> a7 OK <*>
  `,
  )
})
