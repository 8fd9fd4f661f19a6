/**
 * SASLprep (rfc4013): the form in which two spellings of one password are the same octets.
 *
 * Tables of rfc3454 in full: B.1, C.1.2, C.2.1, C.2.2, C.3 to C.9 and D.1. Two are left out: A.1 (unassigned
 * in Unicode 3.2) is today's unassigned code points, so a password may hold an emoji; D.2 (left to right)
 * is every letter that is not in D.1. NFKC is that of the running Unicode, which differs from 3.2's in a
 * handful of corrected CJK compatibility characters only.
 */

const NON_ASCII_SPACE = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu
const MAPPED_TO_NOTHING =
  /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200b-\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/gu
const PROHIBITED = new RegExp(
  `[${[
    // C.1.2 again: normalisation may make some.
    '\\u00a0\\u1680\\u2000-\\u200b\\u202f\\u205f\\u3000',
    // C.2.1, C.2.2: control characters.
    '\\u0000-\\u001f\\u007f\\u0080-\\u009f\\u06dd\\u070f\\u180e\\u200c\\u200d\\u2028\\u2029\\u2060-\\u2063',
    '\\u206a-\\u206f\\ufeff\\ufff9-\\ufffc\\u{1d173}-\\u{1d17a}',
    // C.3 private use, C.5 surrogates, C.6 not for plain text, C.7 ideographic description.
    '\\ue000-\\uf8ff\\u{f0000}-\\u{ffffd}\\u{100000}-\\u{10fffd}\\ud800-\\udfff\\ufff9-\\ufffd\\u2ff0-\\u2ffb',
    // C.8 change display or are deprecated, C.9 tags.
    '\\u0340\\u0341\\u200e\\u200f\\u202a-\\u202e\\u{e0001}\\u{e0020}-\\u{e007f}',
  ].join('')}]|\\p{Noncharacter_Code_Point}`,
  'u',
)
/** D.1: characters written from right to left. */
const RIGHT_TO_LEFT = [
  '\\u05be\\u05c0\\u05c3\\u05d0-\\u05ea\\u05f0-\\u05f4\\u061b\\u061f\\u0621-\\u063a\\u0640-\\u064a',
  '\\u066d-\\u066f\\u0671-\\u06d5\\u06dd\\u06e5\\u06e6\\u06fa-\\u06fe\\u0700-\\u070d\\u0710\\u0712-\\u072c',
  '\\u0780-\\u07a5\\u07b1\\u200f\\ufb1d\\ufb1f-\\ufb28\\ufb2a-\\ufb36\\ufb38-\\ufb3c\\ufb3e\\ufb40\\ufb41',
  '\\ufb43\\ufb44\\ufb46-\\ufbb1\\ufbd3-\\ufd3d\\ufd50-\\ufd8f\\ufd92-\\ufdc7\\ufdf0-\\ufdfc',
  '\\ufe70-\\ufe74\\ufe76-\\ufefc',
].join('')
const HAS_RIGHT_TO_LEFT = new RegExp(`[${RIGHT_TO_LEFT}]`, 'u')
const ALL_RIGHT_TO_LEFT_RULES = new RegExp(
  `^[${RIGHT_TO_LEFT}](?:(?:(?!\\p{L})[^]|[${RIGHT_TO_LEFT}])*[${RIGHT_TO_LEFT}])?$`,
  'u',
)

/**
 * Prepares a name or password.
 * @param use `stored` refuses unassigned code points, whose normal form may still change; `query` (what a
 *   client sent) lets them pass (rfc3454 §7).
 * @returns undefined where a character is prohibited or the directions are mixed.
 */
export function saslprep(text: string, use: 'stored' | 'query'): string | undefined {
  if (/^[\u0020-\u007e]*$/.test(text)) return text
  const mapped = text.replace(NON_ASCII_SPACE, ' ').replace(MAPPED_TO_NOTHING, '')
  const normal = mapped.normalize('NFKC')
  if (PROHIBITED.test(normal)) return undefined
  if (use === 'stored' && /\p{Unassigned}/u.test(normal)) return undefined
  // rfc3454 §6: with one right-to-left character the text begins and ends with one and has no left-to-right one.
  if (HAS_RIGHT_TO_LEFT.test(normal) && !ALL_RIGHT_TO_LEFT_RULES.test(normal)) return undefined
  return normal
}
