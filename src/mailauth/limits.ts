import { MAX_FIELDS, MAX_HEADER_BYTES } from '../mime/limits.ts'

/** What an evaluation may cost. Whatever lies beyond one is a stated result in `Evidence.limits`. */
export const EVALUATION_LIMITS = {
  /** The header that is looked at: what the reader of messages looks at, so that both see the same From. */
  headerBytes: MAX_HEADER_BYTES,
  headerFields: MAX_FIELDS,
  /** Lines of a header, folds counted. mailauth joins folds in a time that grows with their square; 6,000 cost it 30 ms. */
  headerLines: 6_000,
  /** White space in a row: mailauth trims in a time that grows with its square; 250,000 tabs cost it 40 s. A line has 998. */
  spaceRun: 500,
  /** Characters of `d=` and `s=` (rfc1035 §2.3.4), and of `i=`, whose local part may be long. */
  signatureNameChars: 255,
  identityChars: 1_000,
  /** Signatures that are verified. Real mail has one to six; each costs a DNS question and a public-key operation. */
  signatures: 16,
  /** Names in one `h=`. Real ones have 10 to 60; each is looked for among all fields. */
  signedFields: 400,
  /** Of these, what is kept as evidence, in each trace and with each held message: all of them filled 500 KB. */
  signedNamesKept: 60,
  signedNameChars: 40,
  /** Ways in which the body is hashed (canonicalisation, hash and `l=`): each is a pass over up to 25 MB. */
  bodyHashes: 4,
  /** Octets of an SPF record, or of a text beside one. Real ones reach 2,000. */
  spfRecordBytes: 8 * 1024,
  /** Parsed keys that are kept, over all messages: some 3 KiB each. */
  keysKept: 1_000,
  /** Octets of a key's record: one of 4,096 bits has about 750. */
  keyRecordBytes: 2_048,
  /** rfc8301 §3.2: shorter ones never verify. */
  minKeyBits: 1_024,
  /** rfc8301 §3.2: verifiers must take up to 4,096; above that it is only work for us. */
  maxKeyBits: 4_096,
  /**
   * Questions of SPF. rfc7208 §4.6.4 itself allows about 115: ten terms, each an `mx` of ten names, and `exp`. So this
   * is never reached by what the RFC allows.
   */
  spfQuestions: 120,
  /** Questions for keys: one for each signature and each ARC set that is looked at. */
  keyQuestions: 80,
  /** Questions of DMARC. mailauth walks 11 trees at most, of 8 names each (rfc9989 §4.10), which have most names in common; 2 for existence. */
  policyQuestions: 80,
  /** rfc7208 §4.6.4: at least 20 s. */
  spfMs: 20_000,
  /** For all keys, beside SPF. */
  keyMs: 30_000,
  /**
   * For the policy, after both: longer than the resolver's own patience, so that a question behind dead ones still has its
   * turn. In all well within the 10 minutes that a client waits after its final dot (rfc5321 §4.5.3.2.6).
   */
  policyMs: 25_000,
  /** Answers that are kept as evidence, of SPF and of the others each. */
  answersKept: 32,
  /** Characters of one of them. */
  answerChars: 600,
  /** Octets of a From field. A name, some authors; a longer one is cut by some readers. */
  fromBytes: 8 * 1024,
  /** Addresses that ask for aggregate reports; rfc9990 §4 lets a receiver bound them. */
  reportUris: 10,
  /** Characters of a reason that a message or the DNS may have worded. */
  whyChars: 300,
} as const

export const ARC_LIMITS = {
  /** rfc8617 §4.2.1: instances go up to 50; a message with one more is never sealed. */
  sets: 50,
  /** Octets of all ARC fields. Each seal covers all sets before it, so 50 of them are hashed 25 times over; a set has about 4 KB. */
  chainBytes: 256 * 1024,
  /** Characters of what the newest sealer said that it saw; a field of ours has about 600. */
  saidChars: 8 * 1024,
} as const

/** Of the field that says what we found. Each bounds what a peer can make us write. */
export const RESULTS_LIMITS = {
  /** Octets of a line without folds (rfc5322 §2.1.1). */
  lineOctets: 78,
  /** Characters of a value: the longest domain has 253, the longest local part 64. */
  valueChars: 320,
  /** Characters of a reason. */
  reasonChars: 200,
  /** Octets of a field that is read; a longer one is not one of ours. */
  readOctets: 64 * 1024,
  /** Results in it: some servers write one for each signature, and 16 of those are looked at. */
  readResults: 100,
} as const
