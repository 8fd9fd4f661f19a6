import { dialogue } from './dialogue.test-kit.ts'

dialogue(
  'CAPABILITY',
  {},
  `
  C: a1 CAPABILITY
  S: * CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID IDLE
  S: a1 OK CAPABILITY completed
`,
)

dialogue(
  'NOOP, and commands in any case',
  {},
  `
  C: a1 noop
  S: a1 OK NOOP completed
  C: A2 NoOp
  S: A2 OK NOOP completed
`,
)

dialogue(
  'LOGOUT says BYE, completes and closes',
  {},
  `
  C: a1 LOGOUT
  S: * BYE logging out
  S: a1 OK LOGOUT completed
  !: closed
  T: logout
`,
)

dialogue(
  'commands sent together are answered in their order',
  {},
  `
  C: a1 NOOP
  C: a2 LOGIN alice wrong
  C: a3 LOGIN alice secret
  C: a4 NOOP
  S: a1 OK NOOP completed
  S: a2 NO [AUTHENTICATIONFAILED] wrong
  S: a3 OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID IDLE] logged in
  S: a4 OK NOOP completed
`,
)
