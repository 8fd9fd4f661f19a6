import type { Socket } from 'node:net'
import { ImapClient } from '../../src/protocol/imap/client.ts'
import type { ImapClientAnswer, ImapClientAsk, ImapClientTell } from '../../src/protocol/imap/client-types.ts'
import type { ImapCommand } from '../../src/protocol/imap/command.ts'
import type { ImapResponse } from '../../src/protocol/imap/response.ts'
import type { ConditionResponse } from '../../src/protocol/imap/responses/condition.ts'
import type { Scheduler } from './scheduler.ts'

export interface Done {
  readonly status: 'OK' | 'NO' | 'BAD' | 'lost'
  readonly condition?: ConditionResponse | undefined
}

/** How long a client waits for the end of its IDLE. */
const ANSWER_MS = 60_000

/** One IMAP connection of a client: our client core over a socket, one command after the other. */
export class ImapLink {
  isLost = false
  readonly #socket: Socket
  readonly #machine: ImapClient
  readonly #scheduler: Scheduler
  readonly #onResponse: (response: ImapResponse, during: string | undefined) => void
  readonly #greeted = Promise.withResolvers<boolean>()
  #during: string | undefined
  #done: ((done: Done) => void) | undefined
  #idling: (() => void) | undefined
  #content: Uint8Array | undefined
  #literal: Uint8Array[] = []
  #cancelTimer = (): void => undefined

  constructor(parts: {
    readonly socket: Socket
    readonly scheduler: Scheduler
    onResponse(response: ImapResponse, during: string | undefined): void
  }) {
    this.#socket = parts.socket
    this.#scheduler = parts.scheduler
    this.#onResponse = (response, during) => parts.onResponse(response, during)
    this.#machine = new ImapClient({ literals: 'LITERAL+', nowMs: parts.scheduler.nowMs })
    this.#socket.on('data', (bytes: Buffer) => {
      this.#machine.push(bytes)
      this.#pump()
    })
    this.#socket.on('end', () => {
      this.#machine.end()
      this.#pump()
      this.#socket.end()
    })
    this.#socket.on('error', () => this.#lose())
    this.#socket.on('close', () => this.#lose())
    // Its wait for the greeting begins.
    this.#pump()
  }

  /** False where the connection broke before the server spoke. */
  greeted(): Promise<boolean> {
    return this.#greeted.promise
  }

  /** @param content of an APPEND. */
  run(command: ImapCommand, content?: Uint8Array): Promise<Done> {
    if (this.isLost) return Promise.resolve({ status: 'lost' })
    return new Promise((resolve) => {
      this.#during = duringOf(command)
      this.#content = content
      this.#done = resolve
      this.#machine.command(command)
      this.#pump()
    })
  }

  /** IDLE for a while. */
  async idle(forMs: number): Promise<Done> {
    const begun = Promise.withResolvers<void>()
    this.#idling = begun.resolve
    const done = this.run({ kind: 'idle' })
    await Promise.race([begun.promise, done])
    await Promise.race([this.#scheduler.sleep(forMs), done])
    if (!this.isLost && this.#done !== undefined) {
      this.#machine.done()
      this.#pump()
      // The core waits for ever here: a server that is gone without a word never answers.
      const handle = this.#scheduler.after(ANSWER_MS, () => this.leave())
      void done.then(() => handle.cancel())
    }
    return done
  }

  leave(): void {
    this.#socket.destroy()
    this.#lose()
  }

  #pump(): void {
    for (;;) {
      if (this.isLost) return
      this.#machine.tick(this.#scheduler.nowMs)
      const step = this.#machine.next()
      if (step.kind === 'write') this.#socket.write(step.bytes)
      else if (step.kind === 'ask') this.#machine.answer(this.#answer(step.ask))
      else if (step.kind === 'tell') this.#told(step.tell)
      else if (step.kind === 'close') this.leave()
      else if (step.kind === 'need-input') break
    }
    this.#cancelTimer()
    const deadline = this.#machine.deadline()
    if (deadline === undefined) return
    const handle = this.#scheduler.after(deadline - this.#scheduler.nowMs, () => this.#pump())
    this.#cancelTimer = () => handle.cancel()
  }

  #answer(ask: ImapClientAsk): ImapClientAnswer {
    const content = this.#content
    if (ask.kind !== 'append-data' || content === undefined) return { kind: 'cancel' }
    const at = content.length - ask.left
    return { kind: 'append-data', octets: content.slice(at, at + Math.min(ask.left, 50_000)) }
  }

  #told(tell: ImapClientTell): void {
    if (tell.kind === 'greeting') this.#greeted.resolve(true)
    else if (tell.kind === 'literal') this.#literal.push(tell.octets)
    else if (tell.kind === 'response') this.#onResponse(this.#whole(tell.response), this.#during)
    else if (tell.kind === 'idling') this.#idling?.()
    else if (tell.kind === 'done') {
      this.#during = undefined
      const done = this.#done
      this.#done = undefined
      const { condition } = tell
      done?.({ status: condition.status as Done['status'], condition })
    } else if (tell.kind === 'lost') this.leave()
  }

  /** A large literal came apart from its response, which has an empty value in its place. */
  #whole(response: ImapResponse): ImapResponse {
    if (this.#literal.length === 0 || response.kind !== 'fetch') return response
    const octets = Buffer.concat(this.#literal)
    this.#literal = []
    const items = response.items.map((item) => (item.kind === 'section' ? { ...item, octets } : item))
    return { ...response, items }
  }

  #lose(): void {
    if (this.isLost) return
    this.isLost = true
    this.#cancelTimer()
    this.#greeted.resolve(false)
    this.#done?.({ status: 'lost' })
    this.#done = undefined
  }
}

/** Only the forms that name messages by number forbid EXPUNGE meanwhile (rfc3501 §7.4.1). */
function duringOf(command: ImapCommand): string {
  const isByUid = 'uid' in command && command.uid
  return isByUid ? `uid ${command.kind}` : command.kind
}
