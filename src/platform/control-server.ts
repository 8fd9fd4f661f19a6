import { createServer, type Server, type Socket } from 'node:net'
import type { Log } from '../ports/log.ts'
import { ControlLines, type ControlReply, type ControlRequest, parseControlRequest } from './control-wire.ts'
import { Lane } from './lane.ts'
import { CONTROL_LIMITS as LIMITS } from './limits.ts'
import { listenSentence } from './listen-sentence.ts'
import type { Holding, MemoryBudget } from './memory-budget.ts'
import { errorText } from './socket-events.ts'
import { clearStaleSocket, withUmask } from './unix-socket.ts'

/** Thrown by a handler to tell the operator a sentence; anything else is our fault and is logged. */
export class ControlError extends Error {
  override readonly name = 'ControlError'
}

export interface ControlOutput {
  /** One line of the answer. Resolves when the client has room for more; false when it is gone. */
  line(text: string): Promise<boolean>
  /** Aborted when the client is gone (Ctrl-C). */
  readonly signal: AbortSignal
}

/** What one verb does with what the client sent; the value it resolves with is the result. */
export type ControlHandler = (args: unknown, output: ControlOutput) => Promise<unknown>

export type ControlServed =
  | { readonly ok: true; readonly server: ControlServer }
  | { readonly ok: false; readonly sentence: string }

export interface ControlServer {
  /** Closes the socket and cuts off what still runs. */
  close(): Promise<void>
}

export interface ControlBounds {
  /** The longest request. */
  readonly requestBytes: number
  readonly memory: MemoryBudget
}

/**
 * Opens the socket by which `hikyaku VERB` reaches the running server. Its mode is 0600: who may open it may
 * do everything that the server's own user may.
 */
export async function serveControl(
  path: string,
  handlers: Readonly<Record<string, ControlHandler>>,
  log: Log,
  { requestBytes, memory }: ControlBounds,
): Promise<ControlServed> {
  const clients = new Set<ControlClient>()
  const lane = new Lane()
  const table = new Map(Object.entries(handlers))
  const server = createServer((socket) => {
    const client = new ControlClient(socket, { handlers: table, log, requestBytes, lane, memory })
    if (clients.size >= LIMITS.connections) client.refuse('too many clients on the control socket')
    else {
      clients.add(client)
      socket.once('close', () => clients.delete(client))
    }
  })
  try {
    await clearStaleSocket(path)
    await listen(server, path)
  } catch (error) {
    return {
      ok: false,
      sentence: listenSentence({ kind: 'unix', path, mode: 0o600 }, 'server.data', error).sentence,
    }
  }
  server.on('error', (error) => log.event('server.fault', { cause: `control socket: ${errorText(error)}` }))
  return {
    ok: true,
    server: {
      close() {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()))
        for (const client of clients) client.cut()
        return closed
      },
    },
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    withUmask(0o600, () => server.listen(path, () => resolve(server.off('error', reject) && undefined)))
  })
}

/** One connected command. */
class ControlClient {
  readonly #socket: Socket
  readonly #handlers: ReadonlyMap<string, ControlHandler>
  readonly #log: Log
  readonly #lines: ControlLines
  readonly #abort = new AbortController()
  #running = 0
  #refused = false
  readonly #lane: Lane
  readonly #holding: Holding
  #leaveLane: (() => void) | undefined
  #isWaiting = false
  #stall: NodeJS.Timeout | undefined

  constructor(
    socket: Socket,
    parts: {
      readonly handlers: ReadonlyMap<string, ControlHandler>
      readonly log: Log
      readonly requestBytes: number
      readonly lane: Lane
      readonly memory: MemoryBudget
    },
  ) {
    this.#socket = socket
    this.#handlers = parts.handlers
    this.#log = parts.log
    this.#lines = new ControlLines(parts.requestBytes)
    this.#lane = parts.lane
    this.#holding = parts.memory.hold({ class: 'operators', key: '' }, () => this.#shed())
    socket.on('data', (chunk) => this.#data(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#abort.abort()
      this.#settled()
      this.#holding.close()
    })
  }

  refuse(sentence: string): void {
    this.#refused = true
    this.#send({ id: 0, error: sentence })
    this.#settled()
    this.#socket.end()
    // One that waits for its turn is not read; unread, it would never be closed.
    this.#socket.resume()
  }

  cut(): void {
    this.#socket.destroy()
  }

  #data(chunk: Buffer): void {
    if (this.#refused) return
    const lines = this.#lines.push(chunk)
    if (lines === undefined) this.refuse('the request is too long')
    this.#account()
    for (const line of lines ?? []) {
      if (this.#refused) return
      const request = parseControlRequest(line)
      if (request === undefined) this.refuse('this is no request')
      else if (this.#running >= LIMITS.requestsAtOnce) this.refuse('too many requests at once')
      else {
        this.#running++
        // It is all here: what it does may take as long as it likes.
        clearTimeout(this.#stall)
        this.#handle(request).finally(() => {
          this.#running--
          this.#settled()
        })
      }
    }
  }

  /** A large request needs its turn: thirty of them at once would take all the memory that there is. */
  #account(): void {
    const { heldBytes } = this.#lines
    if (heldBytes > 0) this.#holding.set(heldBytes * LIMITS.requestFactor)
    if (this.#leaveLane !== undefined) this.#stall?.refresh()
    else if (heldBytes > LIMITS.smallRequestBytes && !this.#isWaiting) void this.#waitForTurn()
  }

  async #waitForTurn(): Promise<void> {
    this.#isWaiting = true
    this.#socket.pause()
    const leave = await this.#lane.enter()
    this.#isWaiting = false
    if (this.#refused || this.#socket.destroyed) {
      leave()
      return
    }
    this.#leaveLane = leave
    this.#stall = setTimeout(
      () => this.refuse('the rest of a large request did not come'),
      LIMITS.largeStallMs,
    )
    this.#socket.resume()
  }

  /** Nothing of a request is kept any more, once all have their answers. */
  #settled(): void {
    if (this.#running > 0 && !this.#socket.destroyed) return
    clearTimeout(this.#stall)
    this.#leaveLane?.()
    this.#leaveLane = undefined
    this.#holding.set(this.#lines.heldBytes * LIMITS.requestFactor)
  }

  #shed(): void {
    this.refuse('the server has no memory for this request now; try again later')
    this.#holding.set(0)
  }

  /** Never rejects. */
  async #handle({ id, verb, args }: ControlRequest): Promise<void> {
    const handler = this.#handlers.get(verb)
    if (handler === undefined) {
      this.#send({ id, error: `The running server does not know "${verb}": is it another version?` })
      return
    }
    const output: ControlOutput = {
      signal: this.#abort.signal,
      line: (text) => this.#line(id, text),
    }
    try {
      this.#send({ id, result: (await handler(args, output)) ?? null })
    } catch (error) {
      this.#send({ id, error: this.#sentence(verb, error) })
    }
  }

  #sentence(verb: string, error: unknown): string {
    if (error instanceof ControlError) return error.message
    const cause = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#log.event('server.fault', { verb, cause })
    return `The server failed at "${verb}": ${errorText(error)}. Its log has more.`
  }

  async #line(id: number, line: string): Promise<boolean> {
    if (this.#send({ id, line })) return true
    const { signal } = this.#abort
    if (!signal.aborted)
      await new Promise<void>((resolve) => {
        const over = () => {
          this.#socket.off('drain', over)
          signal.removeEventListener('abort', over)
          resolve()
        }
        this.#socket.once('drain', over)
        signal.addEventListener('abort', over)
      })
    return !signal.aborted
  }

  /** @returns false where the client must first read what it has. */
  #send(reply: ControlReply): boolean {
    if (!this.#socket.writable) return false
    const flowing = this.#socket.write(`${JSON.stringify(reply)}\n`)
    return flowing || this.#socket.writableLength < LIMITS.unsentBytes
  }
}
