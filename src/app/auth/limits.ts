/** Every number of the threads that authenticate mail, each with its reason. */

const KIB = 1024
const MIB = 1024 * KIB

export const AUTH_LIMITS = {
  /** Up to here a message goes to its thread whole: the size up to which the store keeps it in memory too. */
  wholeBytes: 256 * KIB,
  /** A larger one goes in pieces, read as the thread takes them: so much of each is on its way at most. */
  pieceBytes: 64 * KIB,
  piecesAhead: 4,
  /** Above this a message takes the thread for large ones: hashing it takes longer than a small one should wait. */
  largeBytes: 1 * MIB,
  /**
   * Messages in one thread at once. Most wait there for the DNS, and those that ask a dead name server wait long:
   * a few dozen of them must not fill the thread for everybody.
   */
  smallAtOnce: 256,
  /**
   * Large ones hold no more than the pieces on their way. Two whose keys have dead name servers must not keep all others
   * waiting for a minute.
   */
  largeAtOnce: 32,
  /** Octets of messages in one thread: 1,000 usual ones, or 64 of the largest that goes whole. */
  octetsAtOnce: 16 * MIB,
  /** A thread more is started when those that run have so many messages each; below, it would only cost memory. */
  busyAt: 16,
  /** Threads for small messages: the main thread and the writer want a core too, and each holds some 20 MiB. */
  threads: 4,
  /**
   * Messages of one kind that wait for their turn; each is that of a client that waits for its reply. They are held
   * where they are (memory budget, files): waiting costs no copy.
   */
  waiting: 2_000,
  /** From its arrival here to its result. A client waits 10 minutes after its final dot (rfc5321 §4.5.3.2.6). */
  jobMs: 120_000,
  /** A thread that has work and does not answer for so long hangs: no computation on one message takes a tenth of it. */
  silentMs: 15_000,
  /** How often threads are looked at, and asked whether they are alive. */
  watchMs: 1_000,
  /** A thread without work ends after this and gives its memory back; to start one takes about as long as a mail is on its way. */
  idleMs: 120_000,
  /** Questions of one message to the DNS at once: of the resolver's 128 (`RESOLVER_LIMITS.inFlight`) no message gets more. */
  lookupsAtOnce: 8,
  /**
   * Questions of one message in all. SPF may ask 10 times with up to 10 hosts each (rfc7208 §4.6.4), signatures and
   * the policy's tree a few dozen more; what comes after that is an attack that the evaluation failed to stop itself.
   */
  lookups: 400,
  /** What the engine may hold; beyond it the thread dies and its messages are put off. */
  heapMiB: 128,
  /** Three semi-spaces of 8 MiB: with 8 in all, collecting took 8 % more of an evaluation; with 48 it took no less. */
  youngMiB: 24,
  /** Of an error that a thread tells. */
  causeChars: 300,
  /** How long the end of the server waits for messages under way. */
  drainMs: 10_000,
} as const

/** Of `AUTH_LIMITS`, what a test makes smaller. */
export type AuthLimits = { readonly [Name in keyof typeof AUTH_LIMITS]: number }
