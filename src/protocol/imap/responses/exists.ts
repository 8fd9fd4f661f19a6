/** rfc3501 §7.3.1. */
export interface ExistsResponse {
  readonly kind: 'exists'
  readonly count: number
}

export function encodeExists(response: ExistsResponse): string {
  return `* ${response.count} EXISTS\r\n`
}
