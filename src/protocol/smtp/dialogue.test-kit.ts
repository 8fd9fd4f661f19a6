import assert from 'node:assert/strict'
import type { TlsFacts } from '../../mail/tls-facts.ts'
import type { Machine } from '../machine.ts'

/*
 * Runs a dialogue written as text against a machine:
 *
 *     S: 220 mx.test ESMTP          a line with CR LF
 *     C: EHLO client.test
 *     C| .\n\0                      octets as they are, with \r \n \0 \\ as escapes, no line end
 *     --- tls                       the machine starts TLS here; the kit says that it stands
 *     --- close                     the machine closes here
 *
 * The lines of `peer` are pushed, those of the other letter are expected exactly.
 */

export interface Play<Ask, Tell, Answer> {
  readonly machine: () => Machine<Ask, Tell, Answer>
  readonly text: string
  /** Whose lines are pushed. */
  readonly peer: 'C' | 'S'
  /** Undefined leaves the ask open. */
  readonly answer: (ask: Ask) => Answer | undefined
}

export interface Played<Ask, Tell> {
  readonly asks: readonly Ask[]
  readonly tells: readonly Tell[]
  readonly output: string
}

export const TLS_FACTS: TlsFacts = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' }

type Entry =
  | { readonly kind: 'push' | 'expect'; readonly bytes: string }
  | { readonly kind: 'tls' }
  | { readonly kind: 'close' }

/** Plays the dialogue with whole blocks, then octet by octet; both must go the same way. */
export function playDialogue<Ask, Tell, Answer>(play: Play<Ask, Tell, Answer>): Played<Ask, Tell> {
  const whole = playCut(play, Number.MAX_SAFE_INTEGER)
  const bytes = playCut(play, 1)
  assert.equal(bytes.output, whole.output, 'cut at every octet')
  assert.deepEqual(joinBodies(bytes.tells), joinBodies(whole.tells), 'cut at every octet')
  assert.deepEqual(bytes.asks, whole.asks, 'cut at every octet')
  return whole
}

/** All of the peer's lines after the first expectation in one push: what a client without manners would send. */
export function playBurst<Ask, Tell, Answer>(play: Play<Ask, Tell, Answer>): Played<Ask, Tell> {
  const entries = readScript(play.text, play.peer)
  const expected = entries.map((entry) => (entry.kind === 'expect' ? entry.bytes : ''))
  const pushed = entries.map((entry) => (entry.kind === 'push' ? entry.bytes : ''))
  const run = new Run(play)
  run.pump()
  run.push(pushed.join(''), Number.MAX_SAFE_INTEGER)
  assert.equal(run.played.output, expected.join(''), 'in one piece')
  return run.played
}

function playCut<Ask, Tell, Answer>(play: Play<Ask, Tell, Answer>, size: number): Played<Ask, Tell> {
  const run = new Run(play)
  run.pump()
  for (const entry of readScript(play.text, play.peer)) {
    if (entry.kind === 'push') run.push(entry.bytes, size)
    else if (entry.kind === 'expect') run.expect(entry.bytes)
    else if (entry.kind === 'tls') run.expectTls()
    else assert.ok(run.closed, 'the machine should have closed here')
  }
  assert.equal(run.unexpected, '', 'nothing more is said')
  return run.played
}

class Run<Ask, Tell, Answer> {
  readonly #play: Play<Ask, Tell, Answer>
  readonly #machine: Machine<Ask, Tell, Answer>
  readonly #asks: Ask[] = []
  readonly #tells: Tell[] = []
  #output = ''
  #expected = 0
  #tlsDue = false
  closed = false

  constructor(play: Play<Ask, Tell, Answer>) {
    this.#play = play
    this.#machine = play.machine()
  }

  get played(): Played<Ask, Tell> {
    return { asks: this.#asks, tells: this.#tells, output: this.#output }
  }

  get unexpected(): string {
    return this.#output.slice(this.#expected)
  }

  push(text: string, size: number): void {
    const bytes = Buffer.from(text, 'utf8')
    for (let at = 0; at < bytes.length; at += size) {
      this.#machine.push(bytes.subarray(at, at + size))
      this.pump()
    }
  }

  expect(text: string): void {
    assert.equal(this.#output.slice(this.#expected, this.#expected + text.length), text)
    this.#expected += text.length
  }

  expectTls(): void {
    assert.ok(this.#tlsDue, 'the machine should start TLS here')
    this.#tlsDue = false
    this.#machine.tlsStarted(TLS_FACTS)
    this.pump()
  }

  pump(): void {
    for (;;) {
      const step = this.#machine.next()
      if (step.kind === 'close') this.closed = true
      if (step.kind === 'need-input' || step.kind === 'close') return
      if (step.kind === 'write') this.#output += Buffer.from(step.bytes).toString('utf8')
      else if (step.kind === 'tell') this.#tells.push(step.tell)
      else if (step.kind === 'start-tls') {
        this.#tlsDue = true
        return
      } else {
        this.#asks.push(step.ask)
        const answer = this.#play.answer(step.ask)
        if (answer === undefined) return
        this.#machine.answer(answer)
      }
    }
  }
}

function readScript(text: string, peer: 'C' | 'S'): Entry[] {
  const entries: Entry[] = []
  for (const line of text.split('\n')) {
    const trimmed = line.trimStart()
    if (trimmed === '') continue
    if (trimmed === '--- tls') entries.push({ kind: 'tls' })
    else if (trimmed === '--- close') entries.push({ kind: 'close' })
    else entries.push(readLine(trimmed, peer))
  }
  return joinPushes(entries)
}

function readLine(line: string, peer: 'C' | 'S'): Entry {
  const match = /^([CS])([:|]) ?(.*)$/.exec(line)
  assert.ok(match, `not a line of a dialogue: ${line}`)
  const [, who, how, rest = ''] = match
  const kind = who === peer ? 'push' : 'expect'
  return { kind, bytes: how === ':' ? `${rest}\r\n` : unescaped(rest) }
}

/** Lines of the peer that follow each other go out as one piece. */
function joinPushes(entries: readonly Entry[]): Entry[] {
  const joined: Entry[] = []
  for (const entry of entries) {
    const before = joined.at(-1)
    if (entry.kind === 'push' && before?.kind === 'push')
      joined[joined.length - 1] = { kind: 'push', bytes: before.bytes + entry.bytes }
    else joined.push(entry)
  }
  return joined
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['r', '\r'],
  ['n', '\n'],
  ['0', '\0'],
  ['\\', '\\'],
])

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => ESCAPES.get(char) ?? char)
}

/**
 * Pieces of content in a row as one, so that runs cut in other ways can be compared. How much of a content was
 * told before it was refused may differ; nobody may use it.
 */
function joinBodies(tells: readonly unknown[]): unknown[] {
  const joined: unknown[] = []
  let body = ''
  const settle = (): void => {
    if (body !== '') joined.push({ kind: 'body', text: body })
    body = ''
  }
  for (const tell of tells) {
    const { kind, bytes } = tell as { kind: string; bytes?: Uint8Array }
    if (kind === 'body' && bytes !== undefined) body += Buffer.from(bytes).toString('latin1')
    else {
      settle()
      joined.push(tell)
    }
    if (kind === 'body-aborted') dropLastBody(joined)
  }
  settle()
  return joined
}

function dropLastBody(joined: unknown[]): void {
  const at = joined.findLastIndex((tell) => (tell as { kind: string }).kind === 'body')
  if (at >= 0) joined.splice(at, 1)
}

/** What the 'body' tells hold. */
export function bodyOf(tells: readonly { readonly kind: string }[]): string {
  let body = ''
  for (const tell of tells)
    if (tell.kind === 'body' && 'bytes' in tell)
      body += Buffer.from(tell.bytes as Uint8Array).toString('latin1')
  return body
}
