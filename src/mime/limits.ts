/** The numbers of this room. What lies beyond one is cut or kept opaque and tagged, never refused here. */

/** Nested multiparts and messages together. Chains of forwards reach about 20; each level costs a boundary test a line. */
export const MAX_DEPTH = 50
/** Parts of one message. Digests reach some hundreds; a structure of more is an attack on whoever renders it. */
export const MAX_PARTS = 2_000
/** Octets of the message's header that are looked at. Other servers stop at 100 KiB; Exchange sends more than that. */
export const MAX_HEADER_BYTES = 256 * 1024
/** The same for the header of a part, where only a few Content fields are of interest. */
export const MAX_PART_HEADER_BYTES = 64 * 1024
/** Header octets looked at over all parts of a message, so that 2,000 parts do not cost 2,000 large headers. */
export const MAX_ALL_HEADERS_BYTES = 1024 * 1024
/** Fields of one header. Long relay chains with signatures make about 200. */
export const MAX_FIELDS = 2_000
/** Octets of one address field that are looked at: some thousand recipients. */
export const MAX_ADDRESS_FIELD_BYTES = 128 * 1024
/** Addresses of one field, group markers included. */
export const MAX_ADDRESSES = 2_000
/** Octets of a Subject, Date or id field in the envelope; rfc5322 §2.1.1 allows 998 a line, folded ones are longer. */
export const MAX_TEXT_FIELD_BYTES = 8 * 1024
/** Comments within comments; real ones have two levels. Deeper ones are read as text. */
export const MAX_COMMENT_DEPTH = 20
/** Octets of a Content-Type or Content-Disposition field: a 255-character Japanese file name takes 2,300 in rfc2231 form. */
export const MAX_PARAMETER_FIELD_BYTES = 16 * 1024
/** Parameters of one field, each rfc2231 section counted. */
export const MAX_PARAMETERS = 200
/** rfc2046 §5.1.1 allows 70 characters; some programs write more. */
export const MAX_BOUNDARY_BYTES = 256
/** Ids kept of a References field: the first, which names the thread, and the last ones. */
export const MAX_REFERENCES = 100
/** One message id; rfc5322 §2.1.1 bounds its line to 998. */
export const MAX_ID_BYTES = 998
/** Characters of a decoded text kept for lists and traces. */
export const MAX_DISPLAY_CHARS = 1_000
/** Kinds of leniency are few; the list of one message never grows beyond this. */
export const MAX_LENIENCIES = 64
/** Decoded characters of a message's text, for display and for SEARCH. */
export const MAX_TEXT_CHARS = 4 * 1024 * 1024
/** Octets of one text part that are decoded. */
export const MAX_TEXT_PART_BYTES = 8 * 1024 * 1024

/** Octets of the original's header that a delivery report carries back. */
export const MAX_REPORTED_HEADER_BYTES = 64 * 1024
