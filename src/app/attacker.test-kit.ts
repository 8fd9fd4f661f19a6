import assert from 'node:assert/strict'
import type { Account, House } from './house.test-kit.ts'
import type { Wire } from './wire.test-kit.ts'

/** What a command of IMAP brought: literals stand where they came, each line is latin1. */
export interface Answered {
  /** `OK`, `NO`, `BAD` with all that follows. */
  readonly status: string
  readonly untagged: readonly string[]
}

/** A logged-in client that says what it likes, and reads strictly what it is told. */
export class Attacker {
  readonly wire: Wire
  #tags = 0

  constructor(wire: Wire) {
    this.wire = wire
  }

  static async loggedIn(house: House, { login, password }: Account): Promise<Attacker> {
    const attacker = new Attacker(await house.open('imaps'))
    await attacker.wire.line()
    await attacker.ok(`LOGIN ${login} ${password}`)
    return attacker
  }

  /** @param command may hold literals that do not wait. */
  say(command: string | Buffer): Promise<Answered> {
    const tag = this.send(command)
    return this.answer(tag)
  }

  async ok(command: string | Buffer): Promise<readonly string[]> {
    const { status, untagged } = await this.say(command)
    assert.match(status, /^OK /, String(command).slice(0, 200))
    return untagged
  }

  send(command: string | Buffer): string {
    const tag = `t${++this.#tags}`
    this.wire.send(Buffer.concat([Buffer.from(`${tag} `), Buffer.from(command), Buffer.from('\r\n')]))
    return tag
  }

  async append(content: Buffer, mailbox = 'INBOX'): Promise<Answered> {
    const head = Buffer.from(`APPEND ${mailbox} {${content.length}+}\r\n`)
    return this.say(Buffer.concat([head, content]))
  }

  async answer(tag: string): Promise<Answered> {
    const untagged: string[] = []
    for (;;) {
      const line = await this.#response()
      if (line.startsWith(`${tag} `)) return { status: line.slice(tag.length + 1), untagged }
      untagged.push(line)
    }
  }

  leave(): void {
    this.wire.socket.destroy()
  }

  /** A response with its literals. */
  async #response(): Promise<string> {
    let text = ''
    for (;;) {
      const line = Buffer.from(await this.wire.line(), 'utf8').toString('latin1')
      text += line
      const literal = /\{(\d+)\}$/.exec(line)
      if (literal === null) return text
      text += `\r\n${(await this.wire.octets(Number(literal[1]))).toString('latin1')}`
    }
  }
}

const STRING = /"(?:[^"\\\r\n\0\x80-\xff]|\\["\\])*"/y
const LITERAL = /\{(\d+)\}\r\n/y
const ATOM = /[^\s(){"\x00-\x1f\x7f-\xff]+/y

/** Whether all of `text` is values of rfc3501 §9: strings, literals of their size, atoms and lists of them. */
export function isWellFormed(text: string): boolean {
  let depth = 0
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match !== null) at += match[0].length
    return match
  }
  while (at < text.length) {
    const char = text[at]
    if (char === '(') depth++
    if (char === ')' && --depth < 0) return false
    if (char === '(' || char === ')' || char === ' ') at++
    else if (char === '"') {
      if (take(STRING) === null) return false
    } else if (char === '{') {
      const literal = take(LITERAL)
      if (literal === null) return false
      at += Number(literal[1])
    } else if (take(ATOM) === null) return false
  }
  return depth === 0 && at === text.length
}
