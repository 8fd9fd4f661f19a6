import { imapString, nstring } from '../text.ts'

/** rfc2971 §3.2: what we say of ourselves; null says nothing. */
export interface IdResponse {
  readonly kind: 'id'
  readonly fields: readonly (readonly [name: string, value: string | null])[] | null
}

export function encodeId(response: IdResponse): string {
  if (response.fields === null || response.fields.length === 0) return '* ID NIL\r\n'
  const fields = response.fields.map(([name, value]) => `${imapString(name)} ${nstring(value)}`)
  return `* ID (${fields.join(' ')})\r\n`
}
