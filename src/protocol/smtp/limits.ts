/*
 * Every limit of the SMTP and LMTP cores, each with its reason. A peer that reaches one gets a reply, never
 * memory. Sessions may lower or raise them by options; sizes in octets, times in milliseconds.
 */

const MINUTE = 60_000

export interface ServerLimits {
  /** A command with its line end. */
  readonly commandLineBytes: number
  /** A line inside an AUTH exchange. */
  readonly authLineBytes: number
  /** ESMTP parameters of one MAIL or RCPT. */
  readonly parameters: number
  /** One line of content. */
  readonly textLineBytes: number
  /** All header fields of a message together. */
  readonly headerBytes: number
  /** Recipients of one message. */
  readonly recipients: number
  /** Messages of one connection. */
  readonly messages: number
  /** BDAT commands of one message. */
  readonly chunks: number
  /** Octets thrown away after a message was found too large, before the connection is closed. */
  readonly discardBytes: number
  /** 5xx replies since the last accepted message before 421 4.7.0. */
  readonly errors: number
  /** Commands since the last finished message before 421 4.7.0. */
  readonly idleCommands: number
  /** AUTH commands that failed, of one connection. */
  readonly authFailures: number
  /** SASL lines of one AUTH. */
  readonly authRounds: number
  /** Replies gathered before they are written. */
  readonly gatheredReplyBytes: number
  readonly commandMs: number
  readonly dataIdleMs: number
  readonly dataTotalMs: number
  readonly askMs: number
  readonly greetMs: number
}

export const SERVER_LIMITS: ServerLimits = {
  // rfc5321 §4.5.3.1.4 says 512; SIZE, BODY, SMTPUTF8, AUTH and the DSN parameters add 26 + 16 + 10 + 500 + 138
  // to MAIL and 528 to RCPT (rfc3461 §4, rfc4954 §3, rfc6531 §3.4). 2048 holds them all.
  commandLineBytes: 2048,
  // rfc4954 §4: a server must take base64 lines of 12288 octets.
  authLineBytes: 12288,
  // Ten are registered for MAIL.
  parameters: 16,
  // rfc5321 §4.5.3.1.6 says 1000, and real mail has whole HTML pages in a line. The cap keeps readers behind
  // us from holding more than this for one line.
  textLineBytes: 1_048_576,
  // Mail from large providers reaches 60 KiB (ARC, anti-abuse fields); beyond 256 KiB it is an attack on
  // whoever shows it.
  headerBytes: 262_144,
  // rfc5321 §4.5.3.1.8 asks for 100 at least; lists send 1000 in one transaction.
  recipients: 1000,
  // Keeps one connection from living for ever; a queue runner starts a new one.
  messages: 1000,
  // rfc3030 sets none. 64 KiB chunks of a 64 MiB message make 1024; thousands of one-octet chunks cost us more
  // than them.
  chunks: 4096,
  // A client may not know SIZE and must still hear its 552, so it is read for a while; not for ever.
  discardBytes: 268_435_456,
  // A human typing makes a few; a bot that guesses recipients reaches this in one pipeline of 20.
  errors: 20,
  // NOOP, RSET and VRFY loops.
  idleCommands: 1200,
  // rfc4954 §4 lets a server close after some; budgets across connections are the session's.
  authFailures: 3,
  // SCRAM needs three, LOGIN two.
  authRounds: 8,
  // One TCP segment's worth of replies is the gain of gathering; more is only memory.
  gatheredReplyBytes: 16_384,
  // rfc5321 §4.5.3.2.7: at least five minutes for the next command.
  commandMs: 5 * MINUTE,
  // rfc5321 §4.5.3.2.5 lets a client stall three minutes between blocks; five as for commands.
  dataIdleMs: 5 * MINUTE,
  // A peer that sends an octet each four minutes is not a slow one. 50 MiB at 30 KiB/s takes half an hour.
  dataTotalMs: 60 * MINUTE,
  // A client waits ten minutes after the final dot (rfc5321 §4.5.3.2.6); a later 250 makes duplicates.
  askMs: 9 * MINUTE,
  // rfc5321 §4.5.3.2.1: a client waits five minutes for the greeting.
  greetMs: 4 * MINUTE,
}

export interface ClientLimits {
  /** One line of a reply. */
  readonly replyLineBytes: number
  /** Lines of one reply. */
  readonly replyLines: number
  /** RCPT commands sent before their replies are read. */
  readonly pipelinedCommands: number
  /** Octets of one BDAT chunk that we send, and of DATA handed to the driver at once. */
  readonly chunkBytes: number
  /** SASL lines of one AUTH. */
  readonly authRounds: number
  readonly greetingMs: number
  readonly heloMs: number
  readonly mailMs: number
  readonly rcptMs: number
  readonly dataMs: number
  readonly dataBlockMs: number
  readonly endOfDataMs: number
  readonly quitMs: number
}

export const CLIENT_LIMITS: ClientLimits = {
  // rfc5321 §4.5.3.1.5 says 512; some servers put URLs of 900 octets into their refusals; AUTH challenges of
  // Kerberos reach rfc4954 §4's size.
  replyLineBytes: 12_288,
  // The longest EHLO replies known have about 30 lines; a hostile server would send lines for ever.
  replyLines: 128,
  // rfc2920 §3.1: the client must not outrun what it can read; 100 RCPT of 80 octets fill no window.
  pipelinedCommands: 100,
  // Few enough replies with BDAT, small enough to hold.
  chunkBytes: 262_144,
  authRounds: 8,
  // rfc5321 §4.5.3.2.1 to §4.5.3.2.6.
  greetingMs: 5 * MINUTE,
  heloMs: 5 * MINUTE,
  mailMs: 5 * MINUTE,
  rcptMs: 5 * MINUTE,
  dataMs: 2 * MINUTE,
  dataBlockMs: 3 * MINUTE,
  endOfDataMs: 10 * MINUTE,
  // The message is safe already; nobody is owed a long wait.
  quitMs: 30_000,
}
