import { dialogue } from './dialogue.test-kit.ts'

dialogue(
  'IDLE gets pushes until DONE',
  { after: 'select' },
  `
  C: a1 IDLE
  S: + idling
  !: exists 3
  S: * 3 EXISTS
  !: expunge 1
  S: * 1 EXPUNGE
  C: done
  S: a1 OK IDLE completed
  C: a2 NOOP
  S: a2 OK NOOP completed
`,
)

dialogue(
  'IDLE that ends with anything but DONE is BAD, and is over',
  { after: 'select' },
  `
  C: a1 IDLE
  S: + idling
  C: a2 NOOP
  S: a1 BAD expected DONE
  C: a3 NOOP
  S: a3 OK NOOP completed
`,
)

dialogue(
  'DONE sent together with IDLE',
  { after: 'login' },
  `
  C: a1 IDLE
  C: DONE
  C: a2 NOOP
  S: + idling
  S: a1 OK IDLE completed
  S: a2 OK NOOP completed
`,
)

dialogue(
  'pushes between commands',
  { after: 'select' },
  `
  !: exists 3
  S: * 3 EXISTS
  C: a1 NOOP
  S: a1 OK NOOP completed
`,
)

dialogue(
  'a client that says nothing for half an hour gets BYE, in IDLE too (rfc3501 §5.4)',
  { after: 'select' },
  `
  C: a1 IDLE
  S: + idling
  !: tick 1799999
  !: tick 1800000
  S: * BYE nothing heard for too long
  !: closed
  T: bye autologout nothing heard for too long
`,
)

dialogue(
  'before login the wait is short, and single octets do not stretch it',
  {},
  `
  C- a1 NO
  !: tick 59999
  C- O
  !: tick 60000
  S: * BYE nothing heard for too long
  !: closed
`,
)

dialogue(
  'shutdown says BYE to who waits',
  { after: 'select' },
  `
  C: a1 IDLE
  S: + idling
  !: shutdown server is going down
  S: * BYE server is going down
  !: closed
`,
)

dialogue(
  'shutdown lets a message that is on its way come whole',
  { after: 'login' },
  `
  C: a1 APPEND Sent {5}
  S: + go on
  C- ab
  !: shutdown server is going down
  C: cde
  S: a1 OK [APPENDUID 7 1] APPEND completed
  S: * BYE server is going down
  !: closed
`,
)

dialogue(
  'a connection that breaks within a message throws it away',
  { after: 'login' },
  `
  C: a1 APPEND Sent {5}
  S: + go on
  C- ab
  !: end
  !: closed
  T: append-abort connection closed
`,
)
