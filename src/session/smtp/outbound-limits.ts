/** rfc5321 §4.5.3.2 leaves the connection itself open; a host that takes longer is not up. */
export const CONNECT_TIMEOUT_MS = 30_000
/** Above every limit of the client core, which is what ends a wait: only for a core that would set none. */
export const READ_TIMEOUT_MS = 15 * 60_000
/** Recipients of one transaction where the host tells no limit: what every host must take (rfc5321 §4.5.3.1.8). */
export const DEFAULT_RCPT_MAX = 100
/** However many a host says that it takes: the group is lost as a whole when the connection is. */
export const MAX_RCPT_MAX = 1_000
