/** rfc3501 §7.3.2. */
export interface RecentResponse {
  readonly kind: 'recent'
  readonly count: number
}

export function encodeRecent(response: RecentResponse): string {
  return `* ${response.count} RECENT\r\n`
}
