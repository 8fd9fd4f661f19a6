import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialogue } from './dialogue.test-kit.ts'
import { IMAP_LIMITS } from './limits.ts'
import { Stage } from './stage.test-kit.ts'

test('attack 2b: what comes in clear text behind STARTTLS is dropped and told', () => {
  const stage = new Stage({})
  stage.push('a1 STARTTLS\r\na2 LOGIN alice secret\r\na3 NOOP\r\n')
  assert.equal(stage.output, '* OK ready\r\na1 OK STARTTLS completed\r\n')
  assert.equal(stage.tlsAsked, 1)
  assert.deepEqual(stage.session.tells, [{ kind: 'attack', what: 'plaintext-behind-starttls', octets: 32 }])
  assert.equal(stage.server.state, 'not-authenticated')
})

test('attack 2b: half a command behind STARTTLS does not join what TLS brings', () => {
  const stage = new Stage({})
  stage.push('a1 STARTTLS\r\na2 ')
  stage.push('NOOP\r\n')
  assert.equal(
    stage.output,
    '* OK ready\r\na1 OK STARTTLS completed\r\n* BAD expected a space\r\n'.replace('* BAD', 'NOOP BAD'),
  )
})

dialogue(
  'attack 25b, 25d: literals before login are few and small',
  {},
  `
  C: a1 LOGIN alice {1025}
  S: a1 BAD [TOOBIG] literal too big
  C: a2 SEARCH TEXT {3}
  S: a2 BAD SEARCH is not allowed before login
  C: a3 APPEND INBOX {3}
  S: a3 BAD APPEND is not allowed before login
  C: a4 APPEND INBOX {3+}
  C: abc
  S: a4 BAD APPEND is not allowed before login
  C: a5 FOO {3}
  S: a5 BAD unknown command
  C: a6 LOGIN {4294967296}
  S: a6 BAD [TOOBIG] literal too big
  C: a7 LOGIN {99999999999999999999}
  S: a7 BAD [TOOBIG] literal too big
`,
)

dialogue(
  'attack 25a: a huge literal that does not wait ends the connection',
  {},
  `
  C: a1 LOGIN alice {65537+}
  S: * BYE [TOOBIG] refused literal of 65537 octets
  !: closed
`,
)

dialogue(
  'attack 25a: a message that does not wait and is beyond skipping ends the connection',
  { after: 'login' },
  `
  C: a1 APPEND INBOX {4294967295+}
  S: * BYE [TOOBIG] refused literal of 4294967295 octets
  !: closed
`,
)

dialogue(
  'attack 25b: negative, empty and odd literal sizes',
  { after: 'login' },
  `
  C: a1 CREATE {-1}
  S: a1 BAD expected a mailbox name
  C: a2 CREATE {}
  S: a2 BAD expected a mailbox name
  C: a3 CREATE {1.5}
  S: a3 BAD expected a mailbox name
  C: a4 CREATE {0x10+}
  S: a4 BAD expected a mailbox name
  C: a5 CREATE {0}
  S: + go on
  C:
  S: a5 NO [CANNOT] no mailbox can have this name
  C: a6 CREATE {3 +}
  S: a6 BAD expected a mailbox name
  C: a7 CREATE ~{3+}
  C: abc
  S: a7 BAD literal8 is not supported
  C: a8 CREATE {3}x
  S: a8 BAD expected a mailbox name
`,
)

dialogue(
  'attack 25a: many literals that do not wait are counted and dropped (Cyrus CVE-2024-34055)',
  { after: 'select', limits: { literalsPerCommand: 3 } },
  `
  C: a1 SEARCH OR BODY {1+}
  C: a TEXT {1+}
  C: b SUBJECT {1+}
  C: c FROM {1+}
  C: d TO {1+}
  C: e CC {9}
  S: a1 BAD [LIMIT] too many literals
  C: a2 NOOP
  S: a2 OK NOOP completed
`,
)

dialogue(
  'attack 25a: a command is bounded as a whole',
  { after: 'login', limits: { commandOctets: 40, literalOctets: 20 } },
  `
  C: a1 CREATE {21}
  S: a1 BAD [TOOBIG] literal too big
  C: a2 RENAME {15}
  S: + go on
  C: 123456789012345 {15}
  S: a2 BAD [TOOBIG] literal too big
`,
)

dialogue(
  'attack 25d: a line without end closes the connection',
  { limits: { commandTextOctetsBeforeLogin: 30 } },
  `
  C- a1 LOGIN aaaaaaaaaaaaaaaaaaaaaa
  S: * BYE [TOOBIG] command line too long
  !: closed
  T: bye too-big command line too long
`,
)

dialogue(
  'attack 25c: parentheses nested before login cost nothing',
  {},
  `
  C: a1 LOGIN ${'('.repeat(10_000)}
  S: a1 BAD expected a user name
  C: a2 ID ${'('.repeat(10_000)}
  S: a2 BAD expected a field name
`,
)

dialogue(
  'attack 32a: bad commands run out',
  { limits: { badCommandsBeforeLogin: 3 } },
  `
  C: GET / HTTP/1.1
  C: Host: x
  C: a1 NOOP
  C: User-Agent: y
  S: GET BAD unknown command
  S: Host: BAD unknown command
  S: a1 OK NOOP completed
  S: User-Agent: BAD unknown command
  S: * BYE too many bad commands
  !: closed
`,
)

dialogue(
  'after login good commands make up for bad ones',
  { after: 'login', limits: { badCommands: 2 } },
  `
  C: a1 FOO
  C: a2 NOOP
  C: a3 FOO
  C: a4 NOOP
  C: a5 FOO
  C: a6 FOO
  S: a1 BAD unknown command
  S: a2 OK NOOP completed
  S: a3 BAD unknown command
  S: a4 OK NOOP completed
  S: a5 BAD unknown command
  S: a6 BAD unknown command
  S: * BYE too many bad commands
  !: closed
`,
)

dialogue(
  'attack 25d: commands before login run out',
  { limits: { commandsBeforeLogin: 2 } },
  `
  C: a1 NOOP
  C: a2 NOOP
  C: a3 NOOP
  S: a1 OK NOOP completed
  S: a2 OK NOOP completed
  S: * BYE too many commands before login
  !: closed
`,
)

dialogue(
  'LITERAL-: more than 4096 octets must wait (rfc7888 §5)',
  { after: 'login', literals: 'LITERAL-' },
  `
  C: a1 CREATE {1+}
  C: a
  S: a1 OK CREATE completed
  C: a2 APPEND Sent {4097+}
  C: ${'m'.repeat(4097)}
  S: a2 BAD [TOOBIG] literal above 4096 octets must wait
  C: a3 CREATE {4097+}
  C: ${'m'.repeat(4097)}
  S: a3 BAD [TOOBIG] literal above 4096 octets must wait
  C: a4 NOOP
  S: a4 OK NOOP completed
`,
)

dialogue(
  'attack 26c: SEARCH nested without end',
  { after: 'select' },
  `
  C: a1 SEARCH ${'('.repeat(10_000)}
  S: a1 NO [LIMIT] search nested too deeply
  C: a2 SEARCH ${'NOT '.repeat(10_000)}ALL
  S: a2 NO [LIMIT] search nested too deeply
  C: a3 SEARCH ${'OR ALL '.repeat(5_000)}ALL
  S: a3 NO [LIMIT] search nested too deeply
  C: a4 SEARCH ${'ALL '.repeat(1_001)}ALL
  S: a4 NO [LIMIT] too many search keys
`,
)

dialogue(
  'attack 26d, 26e: FETCH of very many or very deep parts',
  { after: 'select' },
  `
  C: a1 FETCH 1 (${'UID '.repeat(101)}UID)
  S: a1 BAD too many items
  C: a2 FETCH 1 BODY[${'1.'.repeat(64)}1]
  S: a2 BAD part numbers too deep
  C: a3 FETCH 1 BODY.PEEK[]<4294967295.4294967295>
  S: * 1 FETCH (BODY[]<4294967295> {0}
  S: )
  S: a3 OK FETCH completed
  C: a4 FETCH 1 BODY[HEADER.FIELDS (${'a '.repeat(100)}a)]
  S: a4 BAD too many header fields
`,
)

dialogue(
  'attack 26b: a set of every other UID is read, one of all UIDs costs nothing',
  { after: 'select' },
  `
  C: a1 UID FETCH ${Array.from({ length: 5_000 }, (_, i) => i * 2 + 1).join(',')} UID
  S: * 1 FETCH (UID 1)
  S: a1 OK FETCH completed
  C: a2 UID FETCH 1:4294967295 UID
  S: * 1 FETCH (UID 1)
  S: * 2 FETCH (UID 2)
  S: a2 OK FETCH completed
`,
)

dialogue(
  'attack 27a: mailbox names that lead elsewhere',
  { after: 'login' },
  `
  C: a1 CREATE ../alice
  C: a2 CREATE a/../../b
  C: a3 CREATE {3+}
  C: a<NUL>b
  C: a4 CREATE &AAA-
  C: a5 CREATE &AC4ALg-/x
  C: a6 CREATE /etc/passwd
  C: a7 CREATE "#shared/x"
  S: a1 NO [CANNOT] no mailbox can have this name
  S: a2 NO [CANNOT] no mailbox can have this name
  S: a3 BAD NUL in a literal
  S: a4 NO [CANNOT] no mailbox can have this name
  S: a5 BAD mailbox name is not modified UTF-7
  S: a6 NO [CANNOT] no mailbox can have this name
  S: a7 NO [CANNOT] no mailbox can have this name
`,
)

test('attack 8b: text that quotes a peer cannot forge a line, a code or a literal', () => {
  const stage = new Stage({})
  stage.session.command = () => ({ kind: 'done', status: 'NO', text: '[ALERT] x\r\na2 OK {5}' })
  stage.push('a1 NOOP\r\n')
  assert.equal(stage.output, '* OK ready\r\na1 NO (ALERT] x a2 OK {5)\r\n')
})

test('attack 25d: what one connection can make us hold before login is bounded (Stalwart CVE-2025-61600)', () => {
  const { commandOctetsBeforeLogin, discardOctetsBeforeLogin } = IMAP_LIMITS
  const stage = new Stage({})
  stage.push('a1 ID (')
  let sent = 0
  while (!stage.closed && sent < 1_000_000) {
    stage.push(`"f" {1000+}\r\n${'v'.repeat(1000)} `)
    sent += 1000
  }
  assert.match(stage.output, /BYE \[TOOBIG\]/)
  assert.ok(sent <= commandOctetsBeforeLogin + discardOctetsBeforeLogin + 1000, `${sent} octets`)
})
