/** rfc3501 §7.2.5. */
export interface SearchResponse {
  readonly kind: 'search'
  readonly numbers: ArrayLike<number>
}

export function encodeSearch(response: SearchResponse): string {
  const { numbers } = response
  let line = '* SEARCH'
  for (let i = 0; i < numbers.length; i++) line += ` ${numbers[i]}`
  return `${line}\r\n`
}
