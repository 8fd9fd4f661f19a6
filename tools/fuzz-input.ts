// Where the inputs of a fuzz run come from: a corpus, changed by chance that a seed repeats.
import { numbersOf } from './numbers.ts'

/** Chance that a seed repeats exactly. */
export interface Dice {
  /** A whole number from 0 to below `end`; 0 when `end` is 0. */
  below(end: number): number
}

export function diceOf(seed: number): Dice {
  const next = numbersOf(seed)
  return { below: (end) => Math.floor(next() * end) }
}

// What parsers of mail decide by: line ends of every kind, ends of strings, comments and literals, numbers at the
// edges of their types, octets that are no text, and the starts of the encodings.
const tokens = [
  ...['\r\n', '\n', '\r', '\r\n.\r\n', '\n.\n', '\r.\r\n', '\0', ' ', '\t', '\r\n ', '\r\n\r\n', '\u007f'],
  ...[
    '"',
    '\\',
    '\\"',
    '(',
    ')',
    '<',
    '>',
    '[',
    ']',
    '{',
    '}',
    ',',
    ';',
    ':',
    '@',
    '*',
    '%',
    '&',
    '&-',
    '+',
    '-',
    '=',
    '.',
  ],
  ...[
    '{0}\r\n',
    '{1+}\r\n',
    '{4294967296}\r\n',
    '~{3}\r\n',
    '4294967295',
    '4294967296',
    '9007199254740993',
    '-1',
    '00',
  ],
  ...[
    '=?utf-8?q?',
    '?=',
    '=?iso-2022-jp?b?',
    "*0*=utf-8''",
    '*=',
    '%00',
    '=\r\n',
    '=0',
    '--',
    '\u001b$B',
    '\u001b(B',
  ],
  ...['\u0080', '\u00ff', '\u3042', '\ud83d\ude00', 'xn--', '=3D', '$'],
].map((text) => Buffer.from(text))
const invalidText = [
  Buffer.from([0xff]),
  Buffer.from([0xc0, 0x80]),
  Buffer.from([0xe3, 0x81]),
  Buffer.from([0xed, 0xa0, 0x80]),
]
const insertions: readonly Buffer[] = [...tokens, ...invalidText]

/** Longer inputs find little more and cost much. */
export const maxInputBytes = 64 * 1024

type Change = (input: Buffer, dice: Dice, corpus: readonly Buffer[]) => Buffer

const changes: readonly Change[] = [
  function flipBit(input, dice) {
    const at = dice.below(input.length)
    const copy = Buffer.from(input)
    if (copy.length > 0) copy[at] = (copy[at] ?? 0) ^ (1 << dice.below(8))
    return copy
  },
  function replaceOctet(input, dice) {
    const copy = Buffer.from(input)
    if (copy.length > 0) copy[dice.below(copy.length)] = dice.below(256)
    return copy
  },
  function insertToken(input, dice) {
    const at = dice.below(input.length + 1)
    const token = insertions[dice.below(insertions.length)] ?? Buffer.alloc(0)
    return Buffer.concat([input.subarray(0, at), token, input.subarray(at)])
  },
  function truncate(input, dice) {
    return input.subarray(0, dice.below(input.length))
  },
  function removePiece(input, dice) {
    const [from, to] = piece(input, dice)
    return Buffer.concat([input.subarray(0, from), input.subarray(to)])
  },
  function repeatPiece(input, dice) {
    const [from, to] = piece(input, dice)
    const times = 1 << dice.below(dice.below(4) === 0 ? 12 : 4)
    const room = Math.max(0, Math.floor((maxInputBytes - input.length) / Math.max(1, to - from)))
    const repeated = Array.from({ length: Math.min(times, room) }, () => input.subarray(from, to))
    return Buffer.concat([input.subarray(0, to), ...repeated, input.subarray(to)])
  },
  function splice(input, dice, corpus) {
    const other = corpus[dice.below(corpus.length)] ?? input
    return Buffer.concat([
      input.subarray(0, dice.below(input.length + 1)),
      other.subarray(dice.below(other.length + 1)),
    ])
  },
]

function piece(input: Buffer, dice: Dice): [from: number, to: number] {
  const from = dice.below(input.length + 1)
  return [from, from + dice.below(Math.min(64, input.length - from) + 1)]
}

/** An input of the corpus with one to eight changes, at most `maxInputBytes` long. */
export function nextInput(corpus: readonly Buffer[], dice: Dice): Buffer {
  let input = corpus[dice.below(corpus.length)] ?? Buffer.alloc(0)
  for (let left = 1 + dice.below(8); left > 0; left -= 1) {
    const change = changes[dice.below(changes.length)]
    if (change !== undefined) input = change(input, dice, corpus).subarray(0, maxInputBytes)
  }
  return input
}

/** A smaller input that still fails, found by leaving pieces out for at most `budgetMs`. */
export function shrink(input: Buffer, fails: (input: Buffer) => boolean, budgetMs: number): Buffer {
  const endMs = performance.now() + budgetMs
  let smallest = input
  for (let size = smallest.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at + size <= smallest.length && performance.now() < endMs; ) {
      const shorter = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)])
      if (fails(shorter)) smallest = shorter
      else at += size
    }
  }
  return smallest
}
