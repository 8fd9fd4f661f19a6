/** The numbers of SASL, each with its reason. */

/** A login is an address: rfc5321 §4.5.3.1.3 ends at 254 octets; some room, so that the refusal is ours. */
export const MAX_LOGIN_OCTETS = 320
/** Longer than any password that a person or a manager makes; hashing must not be fed more. */
export const MAX_PASSWORD_OCTETS = 1024
/** rfc4616 §2: authzid, authcid and password with two NUL. */
export const MAX_PLAIN_OCTETS = 2 * MAX_LOGIN_OCTETS + MAX_PASSWORD_OCTETS + 2
/** rfc5802 §7: any SCRAM message: nonces, a login whose every octet may be `=2C`, bindings of at most a certificate's hash. */
export const MAX_SCRAM_OCTETS = 4096
/** The largest of the above as base64 in a line; what the sessions may read for one answer. */
export const MAX_RESPONSE_BASE64_OCTETS = Math.ceil(MAX_SCRAM_OCTETS / 3) * 4
/** 144 bits, as base64 without padding 24 characters: no nonce is ever met twice. */
export const NONCE_OCTETS = 18
/** rfc5802 §5.1 gives no bound; a client's nonce is echoed by us, so it is kept short. */
export const MAX_NONCE_OCTETS = 256
/** A binding is an exporter's 32 octets or a hash of at most 64; nothing longer can be right. */
export const MAX_BINDING_OCTETS = 64

/** OWASP's smallest argon2id set that resists a GPU farm and still lets two cores answer some 40 logins a second. */
export const ARGON2ID_MEMORY_KIB = 19_456
export const ARGON2ID_PASSES = 2
export const ARGON2ID_PARALLELISM = 1
export const ARGON2ID_HASH_OCTETS = 32
/** 128 bits: rfc9106 §3.1 recommends 16 octets for passwords. */
export const SALT_OCTETS = 16
/** A stored hash may come from an import: at most 128 MiB and 10 passes, or one login would stop the server. */
export const MAX_ARGON2ID_MEMORY_KIB = 131_072
export const MAX_ARGON2ID_PASSES = 10
export const MAX_ARGON2ID_PARALLELISM = 8
export const MAX_PHC_OCTETS = 512

/** A password for each device of a person; imported ones may have a salt each, 50 ms of work. */
export const MAX_CREDENTIALS_PER_ACCOUNT = 32

/**
 * The thief attacks the weaker of argon2id and SCRAM: OWASP's number for PBKDF2-HMAC-SHA-256. Clients on Cyrus SASL
 * (mutt, mbsync, Postfix) refuse counts above 65,536, seen in 2.1.28: with a chosen password they need PLAIN or LOGIN.
 */
export const SCRAM_ITERATIONS_GIVEN = 600_000
/** A password of 96 bits and more is not guessed at any count; rfc7677 §4 wants 4,096 at least, phones want few. */
export const SCRAM_ITERATIONS_GENERATED = 10_000
/** What we as a client still compute (0.15 s); a hostile server must not hold the thread. */
export const MAX_SCRAM_ITERATIONS = 1_000_000
/** rfc5802 §5.1 and rfc7677 §4: a server that asks for fewer wants the password cheaply. */
export const MIN_SCRAM_ITERATIONS = 4096

/** 20 characters of 31: 99 bits, in five groups that are read and typed one at a time. */
export const GENERATED_CHARACTERS = 20
export const GENERATED_GROUP_CHARACTERS = 4
/** NIST SP 800-63B asks for 8 behind a rate limit; these are also attacked offline when a disk is stolen. */
export const MIN_PASSWORD_CHARACTERS = 10
/** A date, a telephone number, a card number: shorter rows of digits are tried whole. */
export const MIN_DIGITS_ONLY_CHARACTERS = 20
/** `aaaaaaaaaa` has one, `1234567890` one, `abcabcabcabc` two; what remains of ten chosen characters has more. */
export const MIN_UNPREDICTABLE_CHARACTERS = 6
