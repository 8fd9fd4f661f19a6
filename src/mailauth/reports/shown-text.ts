import { visible } from '../../bytes/ascii.ts'
import { REPORT_LIMITS } from './limits.ts'

/** Characters that turn the direction of what follows, on a terminal and in a page. */
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** A text of a report as it is kept and shown: one line, bounded, nothing in it commands a terminal. */
export function shownText(text: string): string {
  const cut = text.slice(0, 4 * REPORT_LIMITS.textChars)
  const line = visible(cut.replace(TURNS, '').replace(/\s+/g, ' ').trim())
  return line.slice(0, REPORT_LIMITS.textChars).toWellFormed().trim()
}
