/** Every number of this room, each with its reason. */

/** What one connection may cost. */
export const CONNECTION_LIMITS = {
  /**
   * Octets that the core has not looked at yet (pipelined behind an open question, or behind a slow disk):
   * one full socket read and some. Beyond it the socket is no longer read.
   */
  unreadBytes: 128 * 1024,
  /** Octets that wait for the peer to read them; beyond it the core is not asked for more. */
  unsentBytes: 128 * 1024,
  /** Writes up to this size are joined into one: one system call, one TLS record run. */
  joinBytes: 64 * 1024,
  /** A peer that takes `unsentBytes` slower than this (about 450 octets/s) has gone or holds us on purpose. */
  stallMs: 300_000,
  /** After our close: how long we wait for the peer's, so that it still gets the last reply. */
  lingerMs: 5_000,
  /** Octets thrown away after our close before the peer is cut off. */
  lingerBytes: 1024 * 1024,
  /** The slowest phones on the worst lines need a few seconds. */
  tlsHandshakeMs: 30_000,
  /** A proxy sends its header with the first packet (PROXY protocol §2.2 advises at least 3 s). */
  proxyHeaderMs: 5_000,
  /** Finds peers that vanished without a FIN; below the shortest NAT time-out in common use (5 min). */
  keepAliveDelayMs: 240_000,
} as const

const MIB = 1024 * 1024

/** Octets in flight, of all connections together. */
export const MEMORY_LIMITS = {
  /**
   * For clients that have not logged in: 500 messages of the largest size that is kept in memory (256 KiB, above it
   * is a file) with what their structure takes. Less on machines where both together are more than `ofMachine`.
   */
  strangersBytes: 96 * MIB,
  /** For logged-in clients and for LMTP: strangers on port 25 never get at it, so the owner's mail goes on under any flood. */
  membersBytes: 160 * MIB,
  /** Commands on the control socket: the largest message that `sendmail` may hand in, decoded, with its text. */
  operatorsBytes: 512 * MIB,
  /** Strangers and members together never get more of the machine's memory than this. */
  ofMachine: 0.25,
  /** One address, IPv6 /64 or account may have so much of its class; who is behind a proxy or on this machine is many. */
  ownerShare: 0.25,
  /** From here on strangers' new messages are put off (452) and long answers are read in small pieces. */
  tightShare: 0.75,
  tightOwner: 0.5,
  /** A connection counts as moving when what it holds has changed by this much. */
  movedBytes: 4096,
  /** With `movedBytes` 400 octets/s, as for a client that reads (`stallMs`): who is slower makes room while memory is tight. */
  stillMs: 10_000,
} as const

/** One go of a long answer on the main thread: with the writes that end it below the 20 ms that nobody notices. */
export const TURN_MS = 4
/** A connection looks at the clock once for so much input: replies to short commands would cost a look each. */
export const TURN_LOOK_BYTES = 16 * 1024
/** What one step of a core counts for in that, however few octets it took. */
export const TURN_STEP_BYTES = 512

/** What all clients together may cost. */
export const LISTEN_LIMITS = {
  /** Kernel queue of connections not yet accepted; the kernel cuts it to its own limit. */
  backlog: 1024,
  /** File descriptors kept back from clients: database, body files, DNS sockets, outgoing mail, logs. */
  reservedDescriptors: 256,
  /** The same on a system that gives few. */
  reservedShare: 0.5,
  /** Port 25 is the world's: so much of all connections is kept for the ports of our own people. */
  ownShare: 0.4,
  /** Clients displaced by newer ones whose end has not come yet: an event or two later it has. */
  displacedAtOnce: 64,
  /** Refused clients of a listener that are told why; more are cut off, or they alone would use up descriptors. */
  refusedAtOnce: 64,
  /** Logged-in connections of one account: ten devices have fifty; a bench has thousands. */
  connectionsPerAccount: 4000,
  /** And never so much of all that one leaked password and a flood on port 25 fill the server together. */
  accountShare: 0.3,
  /** Longest path of a unix socket (sun_path is 108 octets with its NUL, 104 on BSD). */
  unixPathBytes: 103,
  /** Accept errors are reported at most once in this time. */
  acceptErrorEveryMs: 10_000,
} as const

/** Deadlines are kept to this grain: one timer serves every connection. */
export const DEADLINE_GRAIN_MS = 100

export const DIAL_LIMITS = {
  /** Octets read ahead of the session before the socket is paused. */
  readAheadBytes: 128 * 1024,
  unsentBytes: 128 * 1024,
  tlsHandshakeMs: 60_000,
} as const

export const RESOLVER_LIMITS = {
  /** Without fragmentation on any path in use (rfc9715 §3.2). */
  udpPayloadBytes: 1232,
  /** First try; each further round waits longer. */
  tryMs: 2_000,
  tcpMs: 5_000,
  rounds: 2,
  /** Servers asked; resolv.conf knows three. */
  servers: 4,
  /** A lookup as a whole, all servers, rounds and aliases. */
  lookupMs: 20_000,
  /** Lies ignored (wrong id, wrong question) before the socket is given up: somebody is guessing. */
  strayPackets: 32,
  /** Lookups on the wire at once (one socket each), and waiting for their turn. */
  inFlight: 128,
  waiting: 4096,
  /**
   * Of these, for names of one zone: one whose servers are dead or slow on purpose holds each lookup for seconds,
   * and whoever writes to us chooses which zones we ask.
   */
  zoneInFlight: 24,
  zoneWaiting: 512,
  cacheEntries: 20_000,
  cacheBytes: 16 * 1024 * 1024,
  /** rfc8767 §4 names days as sensible; a mail domain that moves must be seen within one. */
  maxTtlSeconds: 86_400,
  /** rfc2308 §5: one to three hours work well. */
  maxNegativeTtlSeconds: 10_800,
  /** rfc2308 §7.1 allows 300; we only spare a server that is down from every mail's question. */
  failureTtlSeconds: 5,
} as const

export const WORKER_LIMITS = {
  /** Log-ins waiting for a hash: at 20 ms each that is 10 s with one worker. */
  waiting: 500,
} as const

export const LOG_LIMITS = {
  /** Of one value, and of a line: a peer must not fill the log with one name. */
  valueChars: 400,
  lineChars: 4_000,
  /** Lines waiting for a slow disk or pipe; more are dropped and counted. */
  bufferBytes: 4 * 1024 * 1024,
  /** After a write lines are gathered so long for the next: what a killed process may take with it. */
  gatherMs: 20,
  /** How often a file is looked at to see whether it was rotated. */
  rotationCheckMs: 2_000,
  /** One datagram or one `logger` line. */
  syslogChars: 2_000,
} as const

export const CONTROL_LIMITS = {
  /** Requests above this are read one at a time, of all clients: the others wait, unread, at their senders. */
  smallRequestBytes: 1024 * 1024,
  /** A request costs its octets, its text and what is decoded from it. */
  requestFactor: 3,
  /** A client that has the turn for a large request and sends nothing. */
  largeStallMs: 30_000,
  /** Commands of operators and of `sendmail` that run at once, and what one of them may ask before it has its answers. */
  connections: 32,
  requestsAtOnce: 8,
  /** Octets of an answer that wait for the command to read them. */
  unsentBytes: 256 * 1024,
  /** One line of an answer that a client takes. */
  answerBytes: 16 * 1024 * 1024,
} as const
