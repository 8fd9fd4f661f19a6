/** Items taken up in one look at the queue; the look is repeated while there is room. */
export const MAX_DUE_ITEMS = 100
/** Messages on their way to one domain at once: a big provider takes more as an attack. */
export const MAX_PER_DOMAIN = 4
/** Messages known to be due that wait for room at their destination; above it the queue is not looked through further. */
export const MAX_PARKED = 5_000
/**
 * Attempts before a message is given up, however old it seems: after a clock that jumped forward, or after a
 * week without power, it still has its fair chance.
 */
export const MIN_ATTEMPTS = 3
/** Hosts tried in one attempt: rfc5321 §5.1 asks for at least two; a domain with forty dead MX hosts would hold a slot for an hour. */
export const MAX_HOPS = 8
/** Addresses of one host, both families: the first host of a domain must not use up all the tries. */
export const MAX_ADDRESSES_PER_HOST = 4
/** MX records looked at. */
export const MAX_MX = 20
/** The shortest wait between looks: what is due already is in work, or the clock is between two milliseconds. */
export const MIN_SLEEP_MS = { idle: 50, busy: 1_000 } as const
/** The longest wait between looks, should a wake-up be lost. */
export const MAX_SLEEP_MS = 60_000
/** After a fault of the store, so that a full disk is not asked a thousand times a second. */
export const FAULT_SLEEP_MS = 10_000
/** Octets of the original that a DSN with RET=FULL carries back; above it only the header. */
export const MAX_DSN_FULL_BYTES = 256 * 1024
/** Lines and characters of a host's reply that are kept: it goes into the queue's row, the trace and the DSN. */
export const MAX_REPLY_LINES = 10
export const MAX_REPLY_CHARS = 1_000
