/** The numbers of an IMAP session, each with its reason. */

/** Octets of an answer that gather before the client must have taken some: a millisecond or two of work at a time. */
export const PENDING_BYTES = 64 * 1024
/** Octets of rows asked of the store at once: two such batches are in memory for each client that fetches. */
export const BATCH_BYTES = 1024 * 1024
/** The same while memory is short; nothing is read ahead then. */
export const SMALL_BATCH_BYTES = 64 * 1024
