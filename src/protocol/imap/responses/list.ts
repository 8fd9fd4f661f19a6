import { SEPARATOR } from '../../../mail/mailbox-name.ts'
import { astring, flagWord, mailboxString, nstring } from '../text.ts'

/** LIST and LSUB (rfc3501 §7.2.2, §7.2.3; rfc5258 §3.3). */
export interface ListResponse {
  readonly kind: 'list' | 'lsub'
  /** `\Noselect`, `\HasChildren`, `\Sent`, … */
  readonly attributes: readonly string[]
  /** Empty in the answer to `LIST "" ""`. */
  readonly name: string
  /** Absent: ours. Other servers have others; null is a flat name. */
  readonly separator?: string | null | undefined
  /** rfc5258 §3.5: what below matched the selection options. */
  readonly childInfo?: readonly string[] | undefined
}

export function encodeList(response: ListResponse): string {
  const attributes = response.attributes.map(flagWord).join(' ')
  const info = response.childInfo?.map((word) => `"${astring(word)}"`).join(' ')
  const extended = info === undefined ? '' : ` ("CHILDINFO" (${info}))`
  const name = mailboxString(response.name)
  const separator = nstring(response.separator === undefined ? SEPARATOR : response.separator)
  return `* ${response.kind.toUpperCase()} (${attributes}) ${separator} ${name}${extended}\r\n`
}
