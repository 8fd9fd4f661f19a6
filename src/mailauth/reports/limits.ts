/** Every number about reports, each with its reason. */

const KIB = 1024
const MIB = 1024 * KIB

export const REPORT_LIMITS = {
  /** A mail with a report: that of a busy domain from a large provider has some 2 MiB; above this it is only delivered. */
  messageBytes: 16 * MIB,
  /** What a compressed report becomes: 10 MiB of XML hold some 12,000 records. */
  inflatedBytes: 32 * MIB,
  /** XML of reports shrinks to a twentieth; more than this is a bomb, or not worth reading. */
  ratio: 200,
  /** Below this a ratio says nothing: a few hundred octets of spaces are no bomb. */
  ratioFromBytes: 256 * KIB,
  /** Files in one archive: a report is one; some senders put a signature or a folder beside it. */
  archiveEntries: 8,
  /** Attachments of one mail that are looked at. */
  attachments: 4,
  /** The schema nests 6 deep; an extension may add some (rfc9990 §4). */
  xmlDepth: 24,
  /** Elements of `records` records with three signatures each. */
  xmlElements: 600_000,
  /** Attributes of one element, and the octets of all of them: namespaces and schema locations. */
  xmlTagChars: 4 * KIB,
  /** Longest text of an element: comments and contact texts are shorter. */
  xmlTextChars: 8 * KIB,
  /** Objects and arrays in JSON that stand in one another; rfc8460 §4.4 needs 6. */
  jsonDepth: 16,
  /** Records that are kept of a report; a large provider's have a few thousand for the busiest domains. */
  records: 10_000,
  /** Texts that are kept: names of organizations, ids, comments. */
  textChars: 250,
  /** Signatures and reasons kept of one record; rfc9990 §3.1.3 has 100 as the most of a row. */
  signatures: 20,
  reasons: 5,
  /** `policies` of a TLS report, and the failures kept of each. */
  tlsPolicies: 100,
  tlsFailures: 500,
  /** Addresses a report is sent to: rfc7489 §6.2 asked for two at least. */
  recipients: 4,
  /** `rua` addresses that are looked at, each of which may cost a question to the DNS. */
  destinations: 10,
  /** A report as a mail: what every server takes. Beyond it records are left out, the smallest counts first. */
  sentBytes: 5 * MIB,
} as const
