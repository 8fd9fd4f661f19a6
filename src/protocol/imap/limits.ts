/** Every bound of the IMAP cores, each with its reason. Sizes in octets. */
export interface ImapLimits {
  /** Text of one command outside literals. rfc2683 §3.2.1.5 asks for 8,000; a client that lost sync names thousands of UIDs. */
  readonly commandTextOctets: number
  /** The same before login: room for AUTHENTICATE with a token in the initial response, for nothing else. */
  readonly commandTextOctetsBeforeLogin: number
  /** One literal that is not a message: names, search texts, passwords. */
  readonly literalOctets: number
  readonly literalOctetsBeforeLogin: number
  /** Literals in one command: SEARCH of a list of addresses needs tens (Cyrus CVE-2024-34055 had no bound). */
  readonly literalsPerCommand: number
  /** LOGIN has two arguments; ID may come before login, with each field as a literal. */
  readonly literalsPerCommandBeforeLogin: number
  /** Text and literals of one command together: what one connection can make us hold. */
  readonly commandOctets: number
  readonly commandOctetsBeforeLogin: number
  /** The message literal of APPEND; told to clients as APPENDLIMIT (rfc7889 §3). */
  readonly appendOctets: number
  /** Refused non-synchronizing literals are read and dropped up to this many octets per command, then BYE (rfc7888 §4). */
  readonly discardOctets: number
  readonly discardOctetsBeforeLogin: number
  /** A client's line in an AUTHENTICATE exchange; as rfc4954 §4 bounds it for SMTP. */
  readonly authLineOctets: number
  /**
   * Commands answered BAD on one connection before BYE: a program that speaks another protocol, or probes. After
   * login each good command takes one off.
   */
  readonly badCommands: number
  readonly badCommandsBeforeLogin: number
  /** Commands on one connection without a login: nobody needs many; each restarts the login timeout. */
  readonly commandsBeforeLogin: number
  /** Output is handed to the driver when this much has gathered, while pipelined input is still there. */
  readonly gatherOctets: number
  /** rfc3501 §5.4: at least 30 minutes. IDLE counts as doing nothing, so clients renew it (rfc2177 §3). */
  readonly idleTimeoutMs: number
  /** Between commands before login; also how long one command may take to arrive. */
  readonly loginTimeoutMs: number
  /** A command or a message literal of a logged-in client must bring something within this time. */
  readonly stallTimeoutMs: number
  /** The message of an APPEND as a whole: a client that sends an octet every four minutes is not a slow one. */
  readonly appendTotalMs: number
}

export const IMAP_LIMITS: ImapLimits = {
  commandTextOctets: 65_536,
  commandTextOctetsBeforeLogin: 16_384,
  literalOctets: 65_536,
  literalOctetsBeforeLogin: 1_024,
  literalsPerCommand: 128,
  literalsPerCommandBeforeLogin: 60,
  commandOctets: 262_144,
  commandOctetsBeforeLogin: 24_576,
  appendOctets: 64 * 1024 * 1024,
  discardOctets: 256 * 1024 * 1024,
  discardOctetsBeforeLogin: 65_536,
  authLineOctets: 12_288,
  badCommands: 50,
  badCommandsBeforeLogin: 10,
  commandsBeforeLogin: 50,
  gatherOctets: 65_536,
  idleTimeoutMs: 30 * 60_000,
  loginTimeoutMs: 60_000,
  stallTimeoutMs: 5 * 60_000,
  appendTotalMs: 60 * 60_000,
}

/** A tag comes back in the reply; clients use 4 to 10 characters. */
export const MAX_TAG_OCTETS = 64
/** rfc7888 §5: the largest non-synchronizing literal under LITERAL-. */
export const LITERAL_MINUS_OCTETS = 4096
/** rfc3501 §9: number is an unsigned 32-bit integer. Counts of octets above it have no form. */
export const MAX_NUMBER = 0xffff_ffff
/** Items in one FETCH: clients ask for tens; 100,000 `BODY[1.1.1…]` cost a walk each. */
export const MAX_FETCH_ITEMS = 100
/** Numbers in one section (`1.2.3`): as deep as the MIME scanner goes. */
export const MAX_SECTION_DEPTH = 64
/** Names in HEADER.FIELDS: clients ask for about 20. */
export const MAX_HEADER_FIELDS = 100
/** Patterns in one extended LIST, and flags in one list. */
export const MAX_LIST_PATTERNS = 50
export const MAX_FLAGS_IN_COMMAND = 100
/** rfc2971 §3.3. */
export const MAX_ID_FIELDS = 30
export const MAX_ID_FIELD_OCTETS = 30
export const MAX_ID_VALUE_OCTETS = 1024
/** Capabilities in one ENABLE. */
export const MAX_ENABLE = 50
