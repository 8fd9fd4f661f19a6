/** The numbers of keys and certificates, each with its reason. */

const DAY_MS = 86_400_000

/** Our CA is put into phones by hand: seldom enough. */
export const CA_DAYS = 3_650
/** iOS refuses server certificates of more than 825 days, browsers more than 398; one day is for the start below. */
export const SERVER_DAYS = 397
/** A client whose clock is behind must not find a certificate of the future. */
export const BACKDATE_MS = DAY_MS
/** Long enough for a server that is off over a holiday. */
export const RENEW_BEFORE_MS = 30 * DAY_MS
/** A given certificate is renewed by others, by then they should have; those of six days are not always warned of. */
export const WARN_BEFORE_MS = 5 * DAY_MS
/** From then on it is said at each start that another CA will be needed. */
export const CA_WARN_BEFORE_MS = 365 * DAY_MS

/** rfc5280 §4.1.2.2: positive, at most 20 octets; 16 of chance never meet twice. */
export const SERIAL_OCTETS = 16
/** X.520's upper bound of a common name; OpenSSL refuses to read longer ones. */
export const MAX_COMMON_NAME = 64
/** Names of one server; each is sent in every handshake. */
export const MAX_NAMES = 100
/** A chain with its key is some 10 kB; more is another file given by mistake. */
export const MAX_PEM_BYTES = 256 * 1024
/** Certificates in a file: chains have four at most. */
export const MAX_CHAIN = 10
/** Octets of the secret that makes false salts stable. */
export const SECRET_OCTETS = 32

/** rfc8301 §3.2: signers use at least 2048 bits; a longer key's record fits into few DNS panels. */
export const DKIM_RSA_BITS = 2_048
/** Generations of DKIM keys that a domain's file remembers, the retired ones among them: years of rotations. */
export const MAX_GENERATIONS = 12
/** A string of a TXT record (rfc1035 §3.3). */
export const DNS_STRING_OCTETS = 255
/** A record that was found; that of a 4096-bit key has some 750. */
export const DKIM_RECORD_OCTETS = 4_096
/**
 * How long the records of new keys must have been seen before these sign: by then the zone's other servers have them,
 * and what a resolver has kept of their absence is gone in most zones.
 */
export const DKIM_SEEN_FOR_MS = 3_600_000
/**
 * How long a record stays after its key signs no more: mail waits up to five days here and as long again at a
 * forwarder, and some programs verify when it is read. Longer where the queue keeps mail longer.
 */
export const DKIM_KEEP_OLD_RECORD_MS = 14 * DAY_MS
/** A longer domain's file is named by its hash: file systems end at 255 octets, and the temporary file has more. */
export const MAX_NAME_IN_FILE = 200
/** What could not be read or made is tried again so often, not at each message. */
export const DKIM_RETRY_MS = 60_000

/** The folder and the files with keys in it: nobody but the server's user. */
export const FOLDER_MODE = 0o700
export const KEY_MODE = 0o600
/** Our CA's certificate is for everybody. */
export const PUBLIC_MODE = 0o644

export const daysAfter = (atMs: number, days: number): number => atMs + days * DAY_MS
