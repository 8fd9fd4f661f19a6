import { responseText } from '../text.ts'
import { encodeCode, type ResponseCode } from './code.ts'

/** OK, NO, BAD, BYE and PREAUTH (rfc3501 §7.1); without a tag, the server speaks for itself. */
export interface ConditionResponse {
  readonly kind: 'condition'
  readonly status: 'OK' | 'NO' | 'BAD' | 'BYE' | 'PREAUTH'
  readonly code?: ResponseCode | undefined
  readonly text: string
}

export function encodeCondition(response: ConditionResponse, tag = '*'): string {
  const code = response.code === undefined ? '' : `${encodeCode(response.code)} `
  return `${tag} ${response.status} ${code}${responseText(response.text)}\r\n`
}
