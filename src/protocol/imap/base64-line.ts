/** One line of a SASL exchange (rfc4648 §4). Strict: padding, alphabet and unused bits must be right (Dovecot CVE-2025-59028). */
export function decodeBase64Line(text: string): Uint8Array | undefined {
  const octets = Buffer.from(text, 'base64')
  return octets.toString('base64') === text ? octets : undefined
}
