import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stage, type StageOptions } from './stage.test-kit.ts'
import type { ImapTell } from './types.ts'

export interface DialogueOptions extends StageOptions {
  /** Played before the dialogue: LOGIN, or LOGIN and SELECT INBOX. */
  readonly after?: 'login' | 'select'
}

const LOGIN = 'C: x LOGIN alice secret\nS: x OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID IDLE] logged in'
const SELECT = `${LOGIN}
C: y SELECT INBOX
S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
S: * 2 EXISTS
S: * 2 RECENT
S: * OK [UNSEEN 2] first unseen
S: * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] kept
S: * OK [UIDNEXT 3] next
S: * OK [UIDVALIDITY 7] valid
S: y OK [READ-WRITE] SELECT completed`

const OCTETS: Readonly<Record<string, string>> = { SP: ' ', CR: '\r', LF: '\n', NUL: '\0' }

/**
 * Declares a test that plays a dialogue with the client's octets whole, one by one, and in small pieces.
 *
 * A dialogue is text. `C: ` is a line of the client, `S: ` one of the server, CRLF added to both; `C- ` has none
 * added. `T: ` is something the core tells, `!: ` something that happens: `!: tick MS`, `!: end`, `!: exists N`,
 * `!: expunge N`, `!: shutdown TEXT`, `!: closed`. Lines that begin with anything else are remarks. `<SP>`, `<CR>`,
 * `<LF>` and `<NUL>` stand for what a line of text cannot hold.
 */
export function dialogue(name: string, options: DialogueOptions, text: string): void {
  const before = { login: LOGIN, select: SELECT, none: '' }[options.after ?? 'none']
  const lines = `S: * OK ready\n${before}\n${text}`.split('\n').map((line) => line.trim())
  test(name, () => {
    for (const piece of [Number.POSITIVE_INFINITY, 1, 2, 3, 7]) play(lines, options, piece)
  })
}

function play(lines: readonly string[], options: DialogueOptions, piece: number): void {
  const stage = new Stage(options)
  const how = `in pieces of ${piece}`
  let input = ''
  let expected = ''
  const settle = (): void => {
    for (let at = 0; at < input.length; at += piece) stage.push(input.slice(at, at + piece))
    assert.equal(stage.output, expected, how)
    input = ''
    expected = ''
    stage.output = ''
  }
  const told: string[] = []
  for (const line of lines) {
    const rest = line.slice(3).replace(/<(SP|CR|LF|NUL)>/g, (_, name: string) => OCTETS[name] ?? '')
    if (line.startsWith('S: ') || line === 'S:') expected += `${rest}\r\n`
    else if (line.startsWith('T: ')) told.push(rest)
    else if (/^(?:C:|C-|!:)/.test(line)) {
      if (expected !== '' || line.startsWith('!:')) settle()
      if (line.startsWith('!:')) stage.event(rest)
      else input += line.startsWith('C-') ? rest : `${rest}\r\n`
    }
  }
  settle()
  if (told.length > 0) assert.deepEqual(stage.session.tells.map(describe), told, how)
}

function describe(tell: ImapTell): string {
  return Object.values(tell)
    .filter((value) => value !== undefined)
    .join(' ')
}
