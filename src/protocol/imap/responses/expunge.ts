/** rfc3501 §7.4.1. */
export interface ExpungeResponse {
  readonly kind: 'expunge'
  readonly sequence: number
}

export function encodeExpunge(response: ExpungeResponse): string {
  return `* ${response.sequence} EXPUNGE\r\n`
}
