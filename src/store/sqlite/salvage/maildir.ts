import { encodeMutf7 } from '../../../bytes/mutf7.ts'
import { ANSWERED, DELETED, DRAFT, FLAGGED, SEEN } from '../../../mail/flags.ts'
import { FIRST_KEYWORD_BIT, hasBit } from '../../flag-bits.ts'

/*
 * Maildir++ as Dovecot, Courier, mutt and mbsync (SubFolders Maildir++) read it: INBOX is the folder itself, any other
 * mailbox a folder `.Name.Below.It` in it, in modified UTF-7. All is in `cur`; the flags stand in the file's name.
 */

/** A name of a file: 255 octets, and room for what is put behind it where two come out the same. */
const MAX_FOLDER_BYTES = 200
/** Dovecot's letters for keywords. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/**
 * The folder of a mailbox; '' is INBOX. A dot within a name would be a level and becomes `_`; what is too long is cut.
 * mailboxes.tsv has the mailbox's name itself.
 */
export function maildirFolder(name: string): string {
  if (name.toUpperCase() === 'INBOX') return ''
  const levels = name.split('/').map((level) => encodeMutf7(clean(level)).replaceAll('.', '_') || '_')
  return cutTo(`.${levels.join('.')}`, MAX_FOLDER_BYTES)
}

/** Of a login: one folder, whatever a damaged row made of it. */
export function accountFolder(login: string): string {
  return cutTo(clean(login).replaceAll('/', '_').replace(/^\./, '_') || '_', MAX_FOLDER_BYTES)
}

/** No name of ours has controls; one that a damaged row made up may. */
function clean(text: string): string {
  return text.replace(/\p{Cc}/gu, '_')
}

function cutTo(text: string, bytes: number): string {
  let end = text.length
  while (Buffer.byteLength(text.slice(0, end)) > bytes) end--
  return text.slice(0, end)
}

/** `D` draft, `F` flagged, `R` answered, `S` seen, `T` deleted, letters a to z for the first 26 keywords. */
export function flagLetters(bits: number): string {
  const system: readonly (readonly [number, string])[] = [
    [DRAFT, 'D'],
    [FLAGGED, 'F'],
    [ANSWERED, 'R'],
    [SEEN, 'S'],
    [DELETED, 'T'],
  ]
  const letters = system.filter(([bit]) => (bits & bit) !== 0).map(([, letter]) => letter)
  const keywords = [...LETTERS].filter((_, index) => hasBit(bits, FIRST_KEYWORD_BIT + index))
  return [...letters, ...keywords].join('')
}

/** Dovecot's file of what the letters mean; '' where there are none. */
export function keywordsFile(keywords: readonly string[]): string {
  return keywords
    .slice(0, LETTERS.length)
    .map((name, index) => `${index} ${name}\n`)
    .join('')
}

/** A file's name: time of arrival, a key of its own, size, flags. */
export function messageFile(message: {
  readonly arrivedMs: number
  readonly key: string
  readonly sizeBytes: number
  readonly flags: number
}): string {
  const { arrivedMs, flags, key, sizeBytes } = message
  return `${Math.max(0, Math.floor(arrivedMs / 1000))}.${key}.hikyaku,S=${sizeBytes}:2,${flagLetters(flags)}`
}
