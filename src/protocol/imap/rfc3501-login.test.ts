import { dialogue } from './dialogue.test-kit.ts'

dialogue(
  'LOGIN with atoms, quoted strings and literals',
  {},
  `
  C: a1 LOGIN alice wrong
  S: a1 NO [AUTHENTICATIONFAILED] wrong
  C: a2 LOGIN "alice" "a \\"quoted\\" \\\\ one"
  S: a2 NO [AUTHENTICATIONFAILED] wrong
  C: a3 LOGIN {5}
  S: + go on
  C: alice {6}
  S: + go on
  C: secret
  S: a3 OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID IDLE] logged in
`,
)

dialogue(
  'AUTHENTICATE with a challenge',
  {},
  `
  C: a1 AUTHENTICATE PLAIN
  S: +<SP>
  C: AGFsaWNlAHNlY3JldA==
  S: a1 OK logged in
  C: a2 CHECK
  S: a2 BAD CHECK is not allowed now
`,
)

dialogue(
  'AUTHENTICATE with an initial response',
  {},
  `
  C: a1 authenticate plain AGFsaWNlAHdyb25n
  S: a1 NO [AUTHENTICATIONFAILED] wrong
  C: a2 AUTHENTICATE PLAIN =
  S: a2 NO [AUTHENTICATIONFAILED] wrong
  C: a3 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==
  S: a3 OK logged in
`,
)

dialogue(
  'AUTHENTICATE is cancelled by *',
  {},
  `
  C: a1 AUTHENTICATE PLAIN
  S: +<SP>
  C: *
  S: a1 BAD authentication cancelled
  C: a2 NOOP
  S: a2 OK NOOP completed
  T: auth-cancel cancelled
`,
)

dialogue(
  'attack 7a: base64 that is not exact is refused',
  {},
  `
  C: a1 AUTHENTICATE PLAIN
  S: +<SP>
  C: AGFsaWNlAHNlY3JldA=
  S: a1 BAD authentication not base64
  C: a2 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldB==
  S: a2 BAD the initial response is not base64
  C: a3 AUTHENTICATE PLAIN
  S: +<SP>
  C: AGFs aWNl
  S: a3 BAD authentication not base64
  C: a4 AUTHENTICATE PL+AIN
  S: a4 BAD not a mechanism
`,
)

dialogue(
  'AUTHENTICATE with an unknown mechanism',
  {},
  `
  C: a1 AUTHENTICATE KERBEROS_V4
  S: a1 NO no such mechanism
`,
)

dialogue(
  'STARTTLS, once',
  {},
  `
  C: a1 STARTTLS
  S: a1 OK STARTTLS completed
  C: a2 STARTTLS
  S: a2 BAD TLS stands already
  C: a3 LOGIN alice secret
  S: a3 OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID IDLE] logged in
  C: a4 STARTTLS
  S: a4 BAD STARTTLS is not allowed now
`,
)

dialogue(
  'before login nothing else is allowed, after login no login',
  {},
  `
  C: a1 SELECT INBOX
  S: a1 BAD SELECT is not allowed before login
  C: a2 UID FETCH 1 FLAGS
  S: a2 BAD FETCH is not allowed before login
  C: a3 LOGIN alice secret
  S: a3 OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID IDLE] logged in
  C: a4 LOGIN alice secret
  S: a4 BAD LOGIN is not allowed now
  C: a5 AUTHENTICATE PLAIN
  S: a5 BAD AUTHENTICATE is not allowed now
  C: a6 FETCH 1 FLAGS
  S: a6 BAD FETCH is not allowed now
`,
)
