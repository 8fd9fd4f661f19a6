/** Bounds of a DNS answer. A lie must cost us no more than a look. */

/** Records in one section: 5 TXT or 20 MX records are usual; a zone with hundreds is no mail domain's. */
export const MAX_RECORDS = 256
/** Aliases followed inside one answer, and by the resolver from answer to answer. */
export const MAX_ALIASES = 8
/** rfc1035 §2.3.4: octets of a name on the wire. */
export const MAX_NAME_OCTETS = 255
/** Pointers in one name: real ones have one or two; a chain through the whole message would cost time. */
export const MAX_POINTERS = 32
