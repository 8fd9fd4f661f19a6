import { formatUidSet, type UidSet } from '../../../mail/uid-set.ts'
import { astring, capabilityWord, flagWord } from '../text.ts'

/** Codes without arguments (rfc3501 §7.1; rfc5530 §3; rfc4315 §3 UIDNOTSTICKY; rfc7889 §4 TOOBIG; rfc3516 §4.3). */
export type PlainCode =
  | 'ALERT'
  | 'ALREADYEXISTS'
  | 'AUTHENTICATIONFAILED'
  | 'AUTHORIZATIONFAILED'
  | 'CANNOT'
  | 'CLIENTBUG'
  | 'CLOSED'
  | 'CONTACTADMIN'
  | 'CORRUPTION'
  | 'EXPIRED'
  | 'EXPUNGEISSUED'
  | 'HASCHILDREN'
  | 'INUSE'
  | 'LIMIT'
  | 'NONEXISTENT'
  | 'NOPERM'
  | 'OVERQUOTA'
  | 'PARSE'
  | 'PRIVACYREQUIRED'
  | 'READ-ONLY'
  | 'READ-WRITE'
  | 'SERVERBUG'
  | 'TOOBIG'
  | 'TRYCREATE'
  | 'UIDNOTSTICKY'
  | 'UNAVAILABLE'
  | 'UNKNOWN-CTE'

/** What stands in brackets before a response's text. */
export type ResponseCode =
  | PlainCode
  | { readonly kind: 'uidnext' | 'uidvalidity' | 'unseen'; readonly value: number }
  | { readonly kind: 'capability'; readonly capabilities: readonly string[] }
  | { readonly kind: 'badcharset'; readonly charsets: readonly string[] }
  /** `any` adds `\*`: keywords may be made by storing them. */
  | { readonly kind: 'permanentflags'; readonly flags: readonly string[]; readonly any: boolean }
  /** rfc4315 §3. */
  | { readonly kind: 'appenduid'; readonly uidValidity: number; readonly uid: number }
  /** rfc4315 §3: the n-th number of `source` became the n-th of `target`, both ascending. */
  | {
      readonly kind: 'copyuid'
      readonly uidValidity: number
      readonly source: UidSet
      readonly target: UidSet
    }

/** The code with its brackets. */
export function encodeCode(code: ResponseCode): string {
  return `[${codeText(code)}]`
}

function codeText(code: ResponseCode): string {
  if (typeof code === 'string') return code
  switch (code.kind) {
    case 'uidnext':
    case 'uidvalidity':
    case 'unseen':
      return `${code.kind.toUpperCase()} ${code.value}`
    case 'capability':
      return `CAPABILITY ${code.capabilities.map(capabilityWord).join(' ')}`
    case 'badcharset':
      return code.charsets.length === 0
        ? 'BADCHARSET'
        : `BADCHARSET (${code.charsets.map(astring).join(' ')})`
    case 'permanentflags':
      return `PERMANENTFLAGS (${[...code.flags.map(flagWord), ...(code.any ? ['\\*'] : [])].join(' ')})`
    case 'appenduid':
      return `APPENDUID ${code.uidValidity} ${code.uid}`
    case 'copyuid':
      return `COPYUID ${code.uidValidity} ${formatUidSet(code.source)} ${formatUidSet(code.target)}`
  }
}
