import { dialogue } from './dialogue.test-kit.ts'

const after = 'select'

dialogue(
  'CHECK, CLOSE, and what is allowed then',
  { after },
  `
  C: a1 CHECK
  S: a1 OK CHECK completed
  C: a2 STORE 1 +FLAGS.SILENT (\\Deleted)
  S: a2 OK STORE completed
  C: a3 CLOSE
  S: a3 OK CLOSE completed
  C: a4 STATUS INBOX (MESSAGES)
  S: * STATUS INBOX (MESSAGES 1)
  S: a4 OK STATUS completed
  C: a5 CLOSE
  S: a5 BAD CLOSE is not allowed now
`,
)

dialogue(
  'EXPUNGE',
  { after },
  `
  C: a1 STORE 1:* +FLAGS (\\Deleted)
  S: * 1 FETCH (FLAGS (\\Deleted \\Seen \\Recent))
  S: * 2 FETCH (FLAGS (\\Deleted \\Recent))
  S: a1 OK STORE completed
  C: a2 EXPUNGE
  S: * 1 EXPUNGE
  S: * 1 EXPUNGE
  S: a2 OK EXPUNGE completed
`,
)

dialogue(
  'UID EXPUNGE takes the named ones only (rfc4315 §2.1)',
  { after },
  `
  C: a1 STORE 1:2 +FLAGS.SILENT \\Deleted
  S: a1 OK STORE completed
  C: a2 UID EXPUNGE 2:9
  S: * 2 EXPUNGE
  S: a2 OK EXPUNGE completed
  C: a3 UID EXPUNGE
  S: a3 BAD expected a space
`,
)

dialogue(
  'SEARCH with every key',
  { after },
  `
  C: a1 SEARCH ALL
  S: * SEARCH 1 2
  S: a1 OK SEARCH completed
  C: a2 SEARCH UNSEEN NEW RECENT NOT OLD UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNKEYWORD Work
  S: * SEARCH 2
  S: a2 OK SEARCH completed
  C: a3 SEARCH OR ANSWERED OR DELETED OR DRAFT OR FLAGGED OR KEYWORD Work SEEN
  S: * SEARCH 1
  S: a3 OK SEARCH completed
  C: a4 SEARCH SUBJECT "TWO" (FROM "" TO x CC "" BCC "")
  S: * SEARCH
  S: a4 OK SEARCH completed
  C: a5 SEARCH BODY x TEXT y HEADER Subject two BEFORE 1-Feb-1994 ON "1-Feb-1994" SINCE 29-feb-2024
  S: * SEARCH 2
  S: a5 OK SEARCH completed
  C: a6 SEARCH SENTBEFORE 1-Feb-1994 SENTON 01-Feb-1994 SENTSINCE 1-Feb-1994 LARGER 20 SMALLER 9999
  S: * SEARCH 2
  S: a6 OK SEARCH completed
  C: a7 UID SEARCH UID 2:* 1:*
  S: * SEARCH 2
  S: a7 OK SEARCH completed
`,
)

dialogue(
  'SEARCH in charsets',
  { after },
  `
  C: a1 SEARCH CHARSET UTF-8 SUBJECT {3+}
  C: two
  C: a2 SEARCH CHARSET KOI-9 SUBJECT two
  C: a3 SEARCH CHARSET UTF-8 SUBJECT {2+}
  C: \u00ff\u00fe
  S: * SEARCH 2
  S: a1 OK SEARCH completed
  S: a2 NO [BADCHARSET (US-ASCII UTF-8 ISO-2022-JP SHIFT_JIS EUC-JP ISO-8859-1 ISO-8859-15 WINDOWS-1252)] this charset cannot be searched in
  S: a3 BAD the search text is not in its charset
`,
)

dialogue(
  'SEARCH that cannot be read',
  { after },
  `
  C: a1 SEARCH
  S: a1 BAD expected a space
  C: a2 SEARCH (
  S: a2 BAD expected a search key
  C: a3 SEARCH (ALL
  S: a3 BAD expected )
  C: a4 SEARCH ON 31-Feb-2020
  S: a4 BAD not a date
  C: a5 SEARCH OR ALL
  S: a5 BAD expected a space
  C: a6 SEARCH 0
  S: a6 BAD not a set of message numbers
  C: a7 SEARCH DOGS
  S: a7 BAD unknown search key
  C: a8 SEARCH ALL<SP>
  S: a8 BAD expected a search key
`,
)

dialogue(
  'FETCH of items and macros',
  { after },
  `
  C: a1 FETCH 1 FAST
  S: * 1 FETCH (FLAGS (\\Seen \\Recent) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 20)
  S: a1 OK FETCH completed
  C: a2 FETCH 2 ALL
  S: * 2 FETCH (FLAGS (\\Recent) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 27 ENVELOPE (NIL "two" NIL NIL NIL NIL NIL NIL NIL NIL))
  S: a2 OK FETCH completed
  C: a3 FETCH 2 full
  S: * 2 FETCH (FLAGS (\\Recent) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 27 ENVELOPE (NIL "two" NIL NIL NIL NIL NIL NIL NIL NIL) BODY ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 4 1))
  S: a3 OK FETCH completed
  C: a4 FETCH 1:2 (UID BODYSTRUCTURE BODY)
  S: * 1 FETCH (UID 1 BODYSTRUCTURE ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 4 1) BODY ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 4 1))
  S: * 2 FETCH (UID 2 BODYSTRUCTURE ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 4 1) BODY ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 4 1))
  S: a4 OK FETCH completed
  C: a5 FETCH 3 FLAGS
  S: a5 BAD no such message
  C: a6 UID FETCH 2:* FLAGS
  S: * 2 FETCH (UID 2 FLAGS (\\Recent))
  S: a6 OK FETCH completed
  C: a7 UID FETCH 99 (FLAGS)
  S: a7 OK FETCH completed
`,
)

dialogue(
  'FETCH of sections',
  { after },
  `
  C: a1 FETCH 1 BODY[]
  S: * 1 FETCH (BODY[] {20}
  S: Subject: one
  S:
  S: Body)
  S: a1 OK FETCH completed
  C: a2 FETCH 1 (BODY.PEEK[HEADER] BODY.PEEK[TEXT]<1.2> BODY.PEEK[1] BODY.PEEK[1.2.MIME] BODY.PEEK[7.HEADER])
  S: * 1 FETCH (BODY[HEADER] {16}
  S: Subject: one
  S:
  S:  BODY[TEXT]<1> {2}
  S: od BODY[1] {4}
  S: Body BODY[1.2.MIME] NIL BODY[7.HEADER] NIL)
  S: a2 OK FETCH completed
  C: a3 FETCH 1 body.peek[header.fields (subject "From")]
  S: * 1 FETCH (BODY[HEADER.FIELDS (subject From)] {16}
  S: Subject: one
  S:
  S: )
  S: a3 OK FETCH completed
  C: a4 FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT ({7+}
  C: subject)]
  S: * 1 FETCH (BODY[HEADER.FIELDS.NOT (subject)] {16}
  S: Subject: one
  S:
  S: )
  S: a4 OK FETCH completed
`,
)

dialogue(
  'FETCH without PEEK sets the seen flag and says so',
  { after },
  `
  C: a1 FETCH 2 BODY[TEXT]
  S: * 2 FETCH (BODY[TEXT] {11}
  S: Body of two FLAGS (\\Seen \\Recent))
  S: a1 OK FETCH completed
`,
)

dialogue(
  'FETCH by the old names',
  { after },
  `
  C: a1 FETCH 1 (RFC822.HEADER RFC822.TEXT RFC822.SIZE RFC822)
  S: * 1 FETCH (RFC822.HEADER {16}
  S: Subject: one
  S:
  S:  RFC822.TEXT {4}
  S: Body RFC822.SIZE 20 RFC822 {20}
  S: Subject: one
  S:
  S: Body)
  S: a1 OK FETCH completed
`,
)

dialogue(
  'FETCH that cannot be read',
  { after },
  `
  C: a1 FETCH 1
  S: a1 BAD expected a space
  C: a2 FETCH 1 ()
  S: a2 BAD unknown fetch item
  C: a3 FETCH 1 (FAST)
  S: a3 BAD unknown fetch item
  C: a4 FETCH 1 BODY[MIME]
  S: a4 BAD unknown section
  C: a5 FETCH 1 BODY[0]
  S: a5 BAD expected a part number, not 0
  C: a6 FETCH 1 BODY[1.]
  S: a6 BAD section ends with a dot
  C: a7 FETCH 1 BODY[]<0.0>
  S: a7 BAD expected a length, not 0
  C: a8 FETCH 1 BODY.PEEK
  S: a8 BAD BODY.PEEK needs a section
  C: a9 FETCH 1 BODY[HEADER.FIELDS ()]
  S: a9 BAD expected a header field name
  C: b1 FETCH 1 BODY[HEADER.FIELDS ("a:b")]
  S: b1 BAD not a header field name
  C: b2 FETCH 1 (FLAGS  UID)
  S: b2 BAD unknown fetch item
  C: b3 FETCH 1 FLAGS UID
  S: b3 BAD too much
`,
)

dialogue(
  'STORE replaces, adds, takes away, silently or not',
  { after },
  `
  C: a1 STORE 2 FLAGS (\\Seen $Work)
  S: * 2 FETCH (FLAGS (\\Seen $Work \\Recent))
  S: a1 OK STORE completed
  C: a2 STORE 2 +FLAGS \\flagged \\Answered
  S: * 2 FETCH (FLAGS (\\Answered \\Flagged \\Seen $Work \\Recent))
  S: a2 OK STORE completed
  C: a3 STORE 2 -flags.silent (\\Seen $WORK)
  S: a3 OK STORE completed
  C: a4 UID STORE 2 FLAGS ()
  S: * 2 FETCH (UID 2 FLAGS (\\Recent))
  S: a4 OK STORE completed
  C: a5 STORE 2 FLAGS (\\Recent)
  S: a5 BAD these flags cannot be stored
  C: a6 STORE 2 FLAGS (\\Strange)
  S: a6 BAD these flags cannot be stored
  C: a7 STORE 2 DOGS (\\Seen)
  S: a7 BAD expected FLAGS
`,
)

dialogue(
  'COPY and UID COPY',
  { after },
  `
  C: a1 COPY 1:2 Sent
  S: a1 OK [COPYUID 7 1:2 1:2] COPY completed
  C: a2 UID COPY 2 Sent
  S: a2 OK [COPYUID 7 2 3] COPY completed
  C: a3 COPY 1 nowhere
  S: a3 NO [TRYCREATE] no such mailbox
  C: a4 UID COPY 99 Sent
  S: a4 OK COPY completed
`,
)

dialogue(
  'MOVE and UID MOVE (rfc6851 §3)',
  { after },
  `
  C: a1 MOVE 1 Sent
  S: * OK [COPYUID 7 1 1] moved
  S: * 1 EXPUNGE
  S: a1 OK MOVE completed
  C: a2 UID MOVE 2 Sent
  S: * OK [COPYUID 7 2 2] moved
  S: * 1 EXPUNGE
  S: a2 OK MOVE completed
`,
)

dialogue(
  'UID with a command that has no such form',
  { after },
  `
  C: a1 UID NOOP
  S: a1 BAD unknown command
  C: a2 UID
  S: a2 BAD expected a space
`,
)
