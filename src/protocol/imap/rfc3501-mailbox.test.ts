import { dialogue } from './dialogue.test-kit.ts'

const SELECTED = `
  S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
  S: * 2 EXISTS
  S: * 2 RECENT
  S: * OK [UNSEEN 2] first unseen`

dialogue(
  'SELECT says what the mailbox is like',
  { after: 'login' },
  `
  C: a1 SELECT inbox${SELECTED}
  S: * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] kept
  S: * OK [UIDNEXT 3] next
  S: * OK [UIDVALIDITY 7] valid
  S: a1 OK [READ-WRITE] SELECT completed
`,
)

dialogue(
  'EXAMINE is read-only',
  { after: 'login' },
  `
  C: a1 EXAMINE "INBOX"${SELECTED}
  S: * OK [PERMANENTFLAGS ()] kept
  S: * OK [UIDNEXT 3] next
  S: * OK [UIDVALIDITY 7] valid
  S: a1 OK [READ-ONLY] EXAMINE completed
`,
)

dialogue(
  'a SELECT that fails leaves nothing selected',
  { after: 'select' },
  `
  C: a1 SELECT nowhere
  S: a1 NO [NONEXISTENT] no such mailbox
  C: a2 CHECK
  S: a2 BAD CHECK is not allowed now
`,
)

dialogue(
  'a SELECT of an impossible name leaves nothing selected',
  { after: 'select' },
  `
  C: a1 SELECT a//b
  S: a1 NO [CANNOT] no mailbox can have this name
  C: a2 CHECK
  S: a2 BAD CHECK is not allowed now
  T: refused a1 NO no mailbox can have this name
  T: deselect
  T: refused a2 BAD CHECK is not allowed now
`,
)

dialogue(
  'a SELECT that cannot be read leaves the mailbox selected',
  { after: 'select' },
  `
  C: a1 SELECT
  S: a1 BAD expected a space
  C: a2 CHECK
  S: a2 OK CHECK completed
`,
)

dialogue(
  'CREATE, with a separator at the end too',
  { after: 'login' },
  `
  C: a1 CREATE Work/
  S: a1 OK CREATE completed
  C: a2 CREATE Work
  S: a2 NO [ALREADYEXISTS] exists
  C: a3 CREATE a//b
  S: a3 NO [CANNOT] no mailbox can have this name
  C: a4 CREATE "50%"
  S: a4 NO [CANNOT] no mailbox can have this name
  C: a5 SELECT Work
  S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
  S: * 0 EXISTS
  S: * 0 RECENT
  S: * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] kept
  S: * OK [UIDNEXT 1] next
  S: * OK [UIDVALIDITY 7] valid
  S: a5 OK [READ-WRITE] SELECT completed
`,
)

dialogue(
  'DELETE and RENAME',
  { after: 'login' },
  `
  C: a1 RENAME Sent "Sent 2026"
  S: a1 OK RENAME completed
  C: a2 DELETE "Sent 2026"
  S: a2 OK DELETE completed
  C: a3 DELETE Sent
  S: a3 NO [NONEXISTENT] no such mailbox
  C: a4 RENAME Sent Sent2
  S: a4 NO [NONEXISTENT] no such mailbox
`,
)

dialogue(
  'SUBSCRIBE, LSUB and UNSUBSCRIBE',
  { after: 'login' },
  `
  C: a1 SUBSCRIBE Sent
  S: a1 OK SUBSCRIBE completed
  C: a2 LSUB "" *
  S: * LSUB () "/" Sent
  S: a2 OK LSUB completed
  C: a3 LSUB "Se" n%
  S: * LSUB () "/" Sent
  S: a3 OK LSUB completed
  C: a4 UNSUBSCRIBE Sent
  S: a4 OK UNSUBSCRIBE completed
  C: a5 LSUB "" "*"
  S: a5 OK LSUB completed
`,
)

dialogue(
  'LIST with patterns, with a reference, and for the separator',
  { after: 'login' },
  `
  C: a1 LIST "" *
  S: * LIST () "/" INBOX
  S: * LIST (\\Sent) "/" Sent
  S: a1 OK LIST completed
  C: a2 LIST "" ""
  S: * LIST (\\Noselect) "/" ""
  S: a2 OK LIST completed
  C: a3 LIST Se %
  S: * LIST (\\Sent) "/" Sent
  S: a3 OK LIST completed
  C: a4 LIST "" inb%
  S: * LIST () "/" INBOX
  S: a4 OK LIST completed
`,
)

dialogue(
  'LIST for special uses (rfc6154 §3)',
  { after: 'login' },
  `
  C: a1 LIST (SPECIAL-USE) "" *
  S: * LIST (\\Sent) "/" Sent
  S: a1 OK LIST completed
  C: a2 LIST "" (INBOX "Se%") RETURN (SPECIAL-USE SUBSCRIBED STATUS (MESSAGES UNSEEN))
  S: * LIST () "/" INBOX
  S: * LIST (\\Sent) "/" Sent
  S: a2 OK LIST completed
  C: a3 LIST (RECURSIVEMATCH) "" *
  S: a3 BAD RECURSIVEMATCH needs another option
  C: a4 LIST "" * RETURN (OTHER)
  S: a4 BAD unknown return option
`,
)

dialogue(
  'STATUS',
  { after: 'login' },
  `
  C: a1 STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN SIZE APPENDLIMIT)
  S: * STATUS INBOX (MESSAGES 2 RECENT 2 UIDNEXT 3 UIDVALIDITY 7 UNSEEN 1 SIZE 47 APPENDLIMIT NIL)
  S: a1 OK STATUS completed
  C: a2 STATUS nowhere (MESSAGES)
  S: a2 NO [NONEXISTENT] no such mailbox
  C: a3 STATUS INBOX ()
  S: a3 BAD expected a status item
  C: a4 STATUS INBOX (DOGS)
  S: a4 BAD unknown status item
`,
)

dialogue(
  'names in modified UTF-7, of one spelling only',
  { after: 'login' },
  `
  C: a1 CREATE &U,BTFw-/&ZeVnLIqe-
  S: a1 OK CREATE completed
  C: a2 LIST "" &U,BTFw-/%
  S: * LIST () "/" &U,BTFw-/&ZeVnLIqe-
  S: a2 OK LIST completed
  C: a3 CREATE &U,BTFw
  S: a3 BAD mailbox name is not modified UTF-7
  C: a4 CREATE &AGEAYg-
  S: a4 BAD mailbox name is not modified UTF-7
  C: a5 CREATE "A&-B C"
  S: a5 OK CREATE completed
  C: a6 LIST "" A*
  S: * LIST () "/" "A&-B C"
  S: a6 OK LIST completed
  C: a7 CREATE "\u00e9t\u00e9"
  S: a7 BAD mailbox name is not modified UTF-7
`,
)

dialogue(
  'APPEND with flags and a date',
  { after: 'login' },
  `
  C: a1 APPEND Sent (\\Seen Work) "17-Jul-1996 02:44:25 -0700" {19}
  S: + go on
  C: Subject: x
  C:
  C: abcde
  S: a1 OK [APPENDUID 7 1] APPEND completed
  C: a2 EXAMINE Sent
  S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
  S: * 1 EXISTS
  S: * 1 RECENT
  S: * OK [PERMANENTFLAGS ()] kept
  S: * OK [UIDNEXT 2] next
  S: * OK [UIDVALIDITY 7] valid
  S: a2 OK [READ-ONLY] EXAMINE completed
  C: a3 FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])
  S: * 1 FETCH (FLAGS (\\Seen Work \\Recent) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 19 BODY[] {19}
  S: Subject: x
  S:
  S: abcde)
  S: a3 OK FETCH completed
`,
)

dialogue(
  'APPEND is refused before the message is sent',
  { after: 'login' },
  `
  C: a1 APPEND nowhere {10}
  S: a1 NO [TRYCREATE] no such mailbox
  C: a2 APPEND Sent {1001}
  S: a2 NO [OVERQUOTA] over quota
  C: a3 APPEND Sent {4000000000}
  S: a3 NO [TOOBIG] message too big
  C: a4 APPEND Sent (\\Recent) {10}
  S: a4 BAD these flags cannot be stored
  C: a5 APPEND Sent "17-Foo-1996 02:44:25 -0700" {10}
  S: a5 BAD not a date-time
  C: a6 APPEND Sent "31-Feb-1996 02:44:25 -0700" {10}
  S: a6 BAD not a date-time
  C: a7 APPEND Sent
  S: a7 BAD expected a space
  C: a8 APPEND Sent "message"
  S: a8 BAD not a date-time
  C: a9 APPEND a//b {3}
  S: a9 NO [CANNOT] no mailbox can have this name
`,
)

dialogue(
  'APPEND refused while the message comes anyway (rfc7888 §4)',
  { after: 'login' },
  `
  C: a1 APPEND nowhere {10+}
  C: 0123456789
  C: a2 APPEND Sent (\\Nope) {10+}
  C: a3 LOGOUT
  C: a4 NOOP
  S: a1 NO [TRYCREATE] no such mailbox
  S: a2 BAD these flags cannot be stored
  S: a4 OK NOOP completed
`,
)

dialogue(
  'APPEND of an empty message, and to a mailbox named by a literal',
  { after: 'login' },
  `
  C: a1 APPEND Sent {0}
  S: + go on
  C:
  S: a1 OK [APPENDUID 7 1] APPEND completed
  C: a2 APPEND {4}
  S: + go on
  C: Sent {3+}
  C: abc
  S: a2 OK [APPENDUID 7 2] APPEND completed
`,
)

dialogue(
  'APPEND with something behind the message is thrown away',
  { after: 'login' },
  `
  C: a1 APPEND Sent {3+}
  C: abc {2+}
  C: hi and more
  C: a2 APPEND Sent {3+}
  C: abc more
  C: a3 APPEND Sent {3+}
  C: abc
  S: a1 BAD one message at a time
  S: a2 BAD one message at a time
  S: a3 OK [APPENDUID 7 1] APPEND completed
`,
)
