/** PROXY protocol, version 1: the longest line with its CR LF, as its specification counts it. */
export const V1_LINE_BYTES = 107
/** Version 2: signature, version, family and length. */
export const V2_HEAD_BYTES = 16
/**
 * Version 2: addresses and TLVs. The field allows 65535; 216 are the longest addresses, and a proxy adds some
 * TLVs (a certificate's name, an ALPN word, a checksum). A peer that claims more is not a proxy of ours.
 */
export const V2_BODY_BYTES = 4096
