/** rfc2919 §2: an identifier has at most 255 octets. */
export const MAX_LIST_ID_CHARS = 255
/** Octets of a Received field that are looked at; rfc5322 §2.1.1 bounds a line to 998, and a field has few. */
export const MAX_RECEIVED_BYTES = 4_096
/** Signatures that a sentence names: enough to see what happened, few enough for one SMTP reply. */
export const MAX_NAMED_SIGNATURES = 3
/** Recipients unknown here that are kept with a held message, for people. */
export const MAX_UNKNOWN_RECIPIENTS = 50
