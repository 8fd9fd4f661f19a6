import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { assert } from '../mail/assert.ts'
import type { TlsFacts } from '../mail/tls-facts.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Machine, Step } from '../protocol/machine.ts'
import { systemClock } from './clock.ts'
import { ConnectionCaps } from './connection-caps.ts'
import { Deadlines } from './deadlines.ts'
import { type Listener, openListener } from './listen.ts'
import type { ListenAt } from './listen-at.ts'
import { MemoryBudget } from './memory-budget.ts'
import { Turns } from './turns.ts'

/** Helpers for this room's tests: a toy core, a log that remembers, clients. */

export interface Logged {
  readonly name: string
  readonly fields: Readonly<Record<string, unknown>>
}

export function rememberingLog(): Log & { readonly events: Logged[] } {
  const events: Logged[] = []
  return { events, event: (name, fields) => void events.push({ name, fields }) }
}

export function testEnv(clock = systemClock()) {
  const log = rememberingLog()
  const caps = new ConnectionCaps({ total: 10_000, perClient: 10_000, exempt: [] })
  return { log, caps, deadlines: new Deadlines(clock), memory: testMemory(), turns: new Turns() }
}

/** A budget that no test reaches by chance. */
export function testMemory(bytes = 1024 * 1024 * 1024): MemoryBudget {
  return new MemoryBudget({
    limits: { strangers: bytes, members: bytes, operators: bytes },
    nowMs: () => performance.now(),
    onShed: () => {},
  })
}

export async function tempFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hikyaku-platform-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export async function listenAt(t: TestContext, at: ListenAt, log: Log = rememberingLog()): Promise<Listener> {
  const opened = await openListener({ name: 'test', at, setting: 'test.port', log })
  assert(opened.ok, opened.ok ? '' : opened.sentence)
  t.after(() => opened.listener.close())
  return opened.listener
}

export const LOOPBACK: ListenAt = { kind: 'tcp', address: '127.0.0.1', port: 0 }

/** A client that collects what it reads. */
export class TestClient {
  text = ''
  ended = false
  closed = false
  error: Error | undefined
  readonly socket: Socket
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.#happened(() => (this.text += chunk.toString('latin1'))))
    socket.on('end', () => this.#happened(() => (this.ended = true)))
    socket.on('close', () => this.#happened(() => (this.closed = true)))
    socket.on('error', (error) => this.#happened(() => (this.error = error)))
  }

  static to(t: TestContext, where: number | string, localAddress?: string): TestClient {
    const socket =
      typeof where === 'number'
        ? connect({ port: where, host: '127.0.0.1', ...(localAddress ? { localAddress } : {}) })
        : connect(where)
    t.after(() => socket.destroy())
    return new TestClient(socket)
  }

  /** Waits until the condition holds; what happens on the socket makes it look again. */
  async until(holds: (client: this) => boolean): Promise<string> {
    while (!holds(this)) {
      if (this.closed) throw new Error(`closed after: ${JSON.stringify(this.text)} ${this.error ?? ''}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return this.text
  }

  reads(text: string): Promise<string> {
    return this.until((client) => client.text.includes(text))
  }

  #happened(change: () => void): void {
    change()
    this.#wake?.()
  }
}

export type ToyAsk = { readonly line: string }
export type ToyTell = { readonly piece: string }

/**
 * A line protocol with everything a core may do: `tls`, `quit`, `ask X` (answer is written), `tell X`,
 * `big N` (writes N octets), anything else is echoed. Greets with `hello`, says `timeout` at its deadline.
 */
export class ToyMachine implements Machine<ToyAsk, ToyTell, string> {
  readonly steps: Step<ToyAsk, ToyTell>[] = [{ kind: 'write', bytes: Buffer.from('hello\r\n') }]
  facts: TlsFacts | undefined
  ended = false
  idleMs: number
  #text = ''
  #asking = false
  #nowMs = 0
  #dueMs: number | undefined

  constructor(idleMs = 600_000) {
    this.idleMs = idleMs
  }

  get heldBytes(): number {
    return this.#text.length
  }
  push(bytes: Uint8Array): void {
    this.#text += Buffer.from(bytes).toString('latin1')
    this.#dueMs = this.#nowMs + this.idleMs
  }
  end(): void {
    this.ended = true
  }
  answer(answer: string): void {
    assert(this.#asking, 'an ask is open')
    this.#asking = false
    this.write(`${answer}\r\n`)
  }
  tlsStarted(facts: TlsFacts): void {
    this.facts = facts
    this.#text = ''
  }
  deadline(): number | undefined {
    return this.#dueMs
  }
  tick(nowMs: number): void {
    this.#nowMs = nowMs
    this.#dueMs ??= nowMs + this.idleMs
    if (nowMs < this.#dueMs) return
    this.#dueMs = Number.POSITIVE_INFINITY
    this.write('timeout\r\n')
    this.steps.push({ kind: 'close' })
  }
  /** What a session posts. */
  write(text: string): void {
    this.steps.push({ kind: 'write', bytes: Buffer.from(text) })
  }
  next(): Step<ToyAsk, ToyTell> {
    const due = this.steps.shift()
    if (due !== undefined) return due
    const end = this.#text.indexOf('\n')
    if (this.#asking || end < 0) return { kind: 'need-input' }
    const line = this.#text.slice(0, end).trim()
    this.#text = this.#text.slice(end + 1)
    return this.#line(line)
  }

  #line(line: string): Step<ToyAsk, ToyTell> {
    const [verb = '', rest = ''] = line.split(' ')
    if (verb === 'tell') return { kind: 'tell', tell: { piece: rest } }
    if (verb === 'ask') {
      this.#asking = true
      return { kind: 'ask', ask: { line: rest } }
    }
    if (verb === 'big') return { kind: 'write', bytes: Buffer.alloc(Number(rest), 'x') }
    this.write(verb === 'tls' ? 'go\r\n' : verb === 'quit' ? 'bye\r\n' : `you said ${line}\r\n`)
    if (verb === 'tls') this.steps.push({ kind: 'start-tls' })
    if (verb === 'quit') this.steps.push({ kind: 'close' })
    return this.next()
  }
}

/** Time that only the test moves, timers included. */
export function manualClock(): Clock & { skip(ms: number): void; readonly timers: number } {
  const timers = new Map<object, { dueMs: number; callback: () => void }>()
  let nowMs = 1000
  return {
    now: () => nowMs,
    zoneMinutes: () => 0,
    monotonic: () => nowMs,
    after(delayMs, callback) {
      const key = {}
      timers.set(key, { dueMs: nowMs + delayMs, callback })
      return () => void timers.delete(key)
    },
    skip(ms) {
      nowMs += ms
      for (const [key, timer] of [...timers]) if (timer.dueMs <= nowMs && timers.delete(key)) timer.callback()
    },
    get timers() {
      return timers.size
    },
  }
}
