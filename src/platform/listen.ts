import { createServer, isIPv6, type Server, type Socket } from 'node:net'
import type { Log } from '../ports/log.ts'
import { CONNECTION_LIMITS, LISTEN_LIMITS } from './limits.ts'
import type { ListenAt } from './listen-at.ts'
import { listenSentence } from './listen-sentence.ts'
import { errorText } from './socket-events.ts'
import { clearStaleSocket, withUmask } from './unix-socket.ts'

export interface ListenOptions {
  /** Name in logs and traces: `mx`, `imaps`. */
  readonly name: string
  readonly at: ListenAt
  /** The setting to change where the address can't be had, for the sentence. */
  readonly setting: string
  readonly log: Log
}

export type Opened =
  | { readonly ok: true; readonly listener: Listener }
  /** The sentence names port, cause and fix. */
  | { readonly ok: false; readonly sentence: string; readonly code: string | undefined }

/** A bound address. Clients that come before `start` wait. */
export interface Listener {
  readonly name: string
  readonly at: ListenAt
  /** The port in use where `at` said 0; 0 for a unix socket. */
  readonly port: number
  /** `0.0.0.0:25` or the path, for logs. */
  readonly shown: string
  /** Hands over waiting and coming connections. Their `data` does not flow yet, `noDelay` and keep-alive are set. */
  start(accept: (socket: Socket) => void): void
  /** No new connections; those that stand go on. A unix socket's file is removed. */
  close(): Promise<void>
}

/** Binds and listens, so that it can be done before privileges are dropped; nothing is accepted yet. */
export async function openListener(options: ListenOptions): Promise<Opened> {
  const { at } = options
  const server = createServer({
    allowHalfOpen: true,
    noDelay: at.kind === 'tcp',
    keepAlive: at.kind === 'tcp',
    keepAliveInitialDelay: CONNECTION_LIMITS.keepAliveDelayMs,
  })
  const listener = new BoundListener(server, options)
  try {
    if (at.kind === 'unix') await clearStaleSocket(at.path)
    await listen(server, at)
    return { ok: true, listener: listener.opened() }
  } catch (error) {
    const { sentence, code } = listenSentence(at, options.setting, error)
    return { ok: false, sentence, code }
  }
}

/** No `reusePort`: with it a second server would bind the same port without a word and take half the mail. */
function listen(server: Server, at: ListenAt): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.once('listening', () => {
    server.off('error', reject)
    resolve()
  })
  const { backlog } = LISTEN_LIMITS
  if (at.kind === 'unix') withUmask(at.mode, () => server.listen({ path: at.path, backlog }))
  else server.listen({ host: at.address, port: at.port, backlog, ipv6Only: isIPv6(at.address) })
  return promise
}

class BoundListener implements Listener {
  readonly name: string
  readonly at: ListenAt
  readonly #server: Server
  readonly #log: Log
  #accept: ((socket: Socket) => void) | undefined
  #early: Socket[] = []
  #port = 0
  #acceptErrors = 0
  #reportedAtMs = Number.NEGATIVE_INFINITY

  constructor(server: Server, options: ListenOptions) {
    this.name = options.name
    this.at = options.at
    this.#server = server
    this.#log = options.log
    server.on('connection', (socket) => this.#connected(socket))
  }

  opened(): this {
    const bound = this.#server.address()
    if (bound !== null && typeof bound === 'object') this.#port = bound.port
    // Out of descriptors (EMFILE) libuv takes and closes waiting clients with a spare one: accepting does not
    // spin. Other accept errors come here; the port stays ours (once closed, it could not be bound again
    // without privileges).
    this.#server.on('error', (error) => this.#acceptFailed(error))
    return this
  }

  get port(): number {
    return this.#port
  }

  get shown(): string {
    if (this.at.kind === 'unix') return this.at.path
    return `${isIPv6(this.at.address) ? `[${this.at.address}]` : this.at.address}:${this.#port}`
  }

  start(accept: (socket: Socket) => void): void {
    this.#accept = accept
    const early = this.#early
    this.#early = []
    for (const socket of early) if (!socket.destroyed) accept(socket)
  }

  close(): Promise<void> {
    for (const socket of this.#early) socket.destroy()
    return new Promise((resolve) => {
      // The callback waits for standing connections; that is for who owns them.
      this.#server.close()
      resolve()
    })
  }

  #connected(socket: Socket): void {
    if (this.#accept !== undefined) this.#accept(socket)
    else if (this.#early.length >= LISTEN_LIMITS.backlog) socket.destroy()
    else {
      socket.on('error', () => socket.destroy())
      this.#early.push(socket)
    }
  }

  #acceptFailed(error: Error): void {
    this.#acceptErrors++
    const nowMs = performance.now()
    if (nowMs - this.#reportedAtMs < LISTEN_LIMITS.acceptErrorEveryMs) return
    this.#reportedAtMs = nowMs
    this.#log.event('server.fault', {
      listener: this.name,
      cause: `clients could not be accepted: ${errorText(error)}`,
      count: this.#acceptErrors,
    })
    this.#acceptErrors = 0
  }
}
