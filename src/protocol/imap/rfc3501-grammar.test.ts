import { dialogue } from './dialogue.test-kit.ts'

dialogue(
  'a command needs a tag, a space and a known verb',
  {},
  `
  C:
  S: * BAD a command starts with a tag
  C: +a NOOP
  S: * BAD a command starts with a tag
  C: (a) NOOP
  S: * BAD a command starts with a tag
  C: ${'t'.repeat(65)} NOOP
  S: * BAD a command starts with a tag
  C: a1
  S: a1 BAD expected a space
  C: a2  NOOP
  S: a2 BAD expected a command
  C: a3 XYZZY
  S: a3 BAD unknown command
  C: a4 NOOP now
  S: a4 BAD too much
  C: a]5 NOOP
  S: a]5 OK NOOP completed
  C: ${'t'.repeat(64)} NOOP
  S: ${'t'.repeat(64)} OK NOOP completed
`,
)

dialogue(
  'what a quoted string may hold',
  { after: 'login' },
  `
  C: a1 CREATE "a \\\\ \\" b"
  S: a1 OK CREATE completed
  C: a2 LIST "" "a \\\\ \\" b"
  S: * LIST () "/" "a \\\\ \\" b"
  S: a2 OK LIST completed
  C: a3 CREATE "a\\b"
  S: a3 BAD only " and \\ are escaped in a quoted string
  C: a4 CREATE "a
  S: a4 BAD quoted string does not end
  C: a5 CREATE "a<NUL>b"
  S: a5 BAD quoted string does not end
  C: a6 CREATE "a"b
  S: a6 BAD too much
`,
)

dialogue(
  'what a literal may hold',
  { after: 'login' },
  `
  C: a1 CREATE {3+}
  C: a"b
  C: a2 LIST "" {3}
  S: a1 OK CREATE completed
  S: + go on
  C: a"b
  S: * LIST () "/" "a\\"b"
  S: a2 OK LIST completed
  C: a3 CREATE {3+}
  C: a<NUL>b
  C: a4 CREATE {2+}
  C: <CR><LF>
  C: a5 NOOP
  S: a3 BAD NUL in a literal
  S: a4 BAD mailbox name is not modified UTF-7
  S: a5 OK NOOP completed
`,
)

dialogue(
  'an atom ends at the specials',
  { after: 'login' },
  `
  C: a1 CREATE a(b
  S: a1 BAD too much
  C: a2 CREATE a]b
  S: a2 OK CREATE completed
  C: a3 LIST "" a]%
  S: * LIST () "/" "a]b"
  S: a3 OK LIST completed
  C: a4 CREATE NIL
  S: a4 OK CREATE completed
  C: a5 LIST "" nil
  S: a5 OK LIST completed
  C: a6 LIST "" NIL
  S: * LIST () "/" "NIL"
  S: a6 OK LIST completed
`,
)

dialogue(
  'numbers are 32 bits wide and sets have no zero',
  { after: 'select' },
  `
  C: a1 SEARCH LARGER 4294967295
  S: * SEARCH
  S: a1 OK SEARCH completed
  C: a2 SEARCH LARGER 4294967296
  S: a2 BAD expected a size, 0 to 4294967295
  C: a3 UID FETCH 4294967296 FLAGS
  S: a3 BAD not a set of message numbers
  C: a4 UID FETCH 0:1 FLAGS
  S: a4 BAD not a set of message numbers
  C: a5 FETCH *,1 UID
  S: * 1 FETCH (UID 1)
  S: * 2 FETCH (UID 2)
  S: a5 OK FETCH completed
`,
)

dialogue(
  'a lone line feed ends a line too, a lone carriage return does not',
  {},
  `
  C- a1 NOOP<LF>
  S: a1 OK NOOP completed
  C: a2 NO<CR>OP
  S: a2 BAD unknown command
`,
)

dialogue(
  'ID, NAMESPACE, ENABLE and UNSELECT',
  { after: 'select' },
  `
  C: a1 ID ("name" "x" "version" NIL)
  S: * ID ("name" "fake")
  S: a1 OK ID completed
  C: a2 ID NIL
  S: * ID ("name" "fake")
  S: a2 OK ID completed
  C: a3 NAMESPACE
  S: * NAMESPACE (("" "/")) NIL NIL
  S: a3 OK NAMESPACE completed
  C: a4 ENABLE CONDSTORE UTF8=ACCEPT
  S: * ENABLED
  S: a4 OK ENABLE completed
  C: a5 ENABLE
  S: a5 BAD expected a space
  C: a6 UNSELECT
  S: a6 OK UNSELECT completed
  C: a7 UNSELECT
  S: a7 BAD UNSELECT is not allowed now
  C: a8 ID ("${'n'.repeat(31)}" "x")
  S: a8 BAD field too long
`,
)
