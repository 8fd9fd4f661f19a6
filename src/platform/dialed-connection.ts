import type { Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { canonicalIp, parseIp } from '../mail/ip.ts'
import type { TlsFacts } from '../mail/tls-facts.ts'
import type { Connection, DialFailure } from '../ports/dialer.ts'
import { DialError, socketFailure } from './dial-error.ts'
import { CONNECTION_LIMITS, DIAL_LIMITS as LIMITS } from './limits.ts'
import { attachSink, detachSink, errorText, type SocketSink } from './socket-events.ts'
import { exporterBinding } from './tls-accept.ts'

/** A connection that we opened: bytes are pulled, and what breaks shows at the next `read`. */
export class DialedConnection implements Connection, SocketSink {
  readonly localAddress: string
  readonly remoteAddress: string
  readonly #caPem: readonly string[] | undefined
  #socket: Socket
  #chunks: Buffer[] = []
  #bytes = 0
  #ended = false
  #failure: DialError | undefined
  #reading: PromiseWithResolvers<Uint8Array | undefined> | undefined
  #writing: PromiseWithResolvers<void> | undefined

  /** @param caPem what `verify` trusts; undefined: Node's own list. */
  constructor(socket: Socket, caPem: readonly string[] | undefined) {
    this.#socket = socket
    this.#caPem = caPem
    this.localAddress = canonicalIp(socket.localAddress ?? '') ?? ''
    this.remoteAddress = canonicalIp(socket.remoteAddress ?? '') ?? ''
    attachSink(socket, this)
  }

  /** Does nothing on a broken connection: the next `read` tells. A promise asks for patience and never rejects. */
  write(bytes: Uint8Array): void | Promise<void> {
    if (this.#failure !== undefined || !this.#socket.writable || bytes.length === 0) return
    this.#socket.write(bytes)
    if (this.#socket.writableLength < LIMITS.unsentBytes) return
    this.#writing ??= Promise.withResolvers<void>()
    const stall = setTimeout(
      () => this.#fail({ kind: 'timeout', cause: 'the other host reads nothing' }),
      CONNECTION_LIMITS.stallMs,
    )
    return this.#writing.promise.finally(() => clearTimeout(stall))
  }

  read(timeoutMs: number): Promise<Uint8Array | undefined> {
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) {
      this.#bytes -= chunk.length
      if (this.#bytes < LIMITS.readAheadBytes) this.#socket.resume()
      return Promise.resolve(chunk)
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#ended) return Promise.resolve(undefined)
    const reading = Promise.withResolvers<Uint8Array | undefined>()
    this.#reading = reading
    const cause = `nothing came for ${Math.round(timeoutMs / 1000)} s`
    const timer = setTimeout(() => this.#fail({ kind: 'timeout', cause }), timeoutMs)
    return reading.promise.finally(() => clearTimeout(timer))
  }

  async startTls(options: { readonly serverName: string; readonly verify: boolean }): Promise<TlsFacts> {
    if (this.#bytes > 0) {
      // What came in clear behind the go-ahead would be taken for an answer under TLS (attack 2, client side).
      this.#fail({ kind: 'tls', cause: `the server sent ${this.#bytes} octets ahead of TLS` })
      throw this.#failure
    }
    if (this.#failure !== undefined) throw this.#failure
    detachSink(this.#socket)
    const result = await secureClient(this.#socket, { ...options, caPem: this.#caPem })
    if (!result.ok) {
      this.#fail(result)
      throw this.#failure
    }
    this.#socket = result.socket
    attachSink(result.socket, this)
    return result.facts
  }

  close(): void {
    if (this.#socket.destroyed) return
    this.#ended = true
    const timer = setTimeout(() => this.#socket.destroy(), CONNECTION_LIMITS.lingerMs)
    this.#socket.once('close', () => clearTimeout(timer))
    this.#socket.end()
    this.#socket.resume()
    this.#settle()
  }

  // What the socket says.

  data(chunk: Buffer): void {
    const reading = this.#reading
    this.#reading = undefined
    if (reading !== undefined) {
      reading.resolve(chunk)
      return
    }
    if (this.#ended) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes >= LIMITS.readAheadBytes) this.#socket.pause()
  }

  ended(): void {
    this.#ended = true
    this.#settle()
  }

  drainEvent(): void {
    this.#writing?.resolve()
    this.#writing = undefined
  }

  failed(error: Error): void {
    this.#fail(socketFailure(error))
  }

  closed(): void {
    this.#ended = true
    this.#settle()
  }

  #fail(failure: DialFailure): void {
    this.#failure ??= new DialError(failure)
    this.#socket.destroy()
    this.#settle()
  }

  /** Wakes who waits, now that nothing more will come. */
  #settle(): void {
    const reading = this.#reading
    this.#reading = undefined
    if (this.#failure !== undefined) reading?.reject(this.#failure)
    else reading?.resolve(undefined)
    if (this.#failure !== undefined || this.#socket.destroyed) this.drainEvent()
  }
}

export interface SecureOptions {
  readonly serverName: string
  readonly verify: boolean
  readonly caPem: readonly string[] | undefined
}

/**
 * TLS as the client. Without `verify` any certificate will do: whoever could forge one could as well have
 * removed the offer of STARTTLS (rfc3207 §6). No session is ever resumed, so none crosses services.
 */
export function secureClient(
  socket: Socket,
  options: SecureOptions,
): Promise<
  | { readonly ok: true; readonly socket: TLSSocket; readonly facts: TlsFacts }
  | ({ readonly ok: false } & DialFailure)
> {
  const { serverName, verify, caPem } = options
  const isAddress = parseIp(serverName) !== undefined
  return new Promise((resolve) => {
    const secure = connect({
      socket,
      host: serverName,
      // rfc6066 §3: an address literal is no server name.
      ...(isAddress ? {} : { servername: serverName }),
      ...(caPem === undefined ? {} : { ca: [...caPem] }),
      rejectUnauthorized: verify,
      minVersion: 'TLSv1.2',
    })
    const fail = (cause: string) => {
      clearTimeout(timer)
      secure.destroy()
      resolve({ ok: false, kind: 'tls', cause })
    }
    const timer = setTimeout(() => fail('no TLS handshake in time'), LIMITS.tlsHandshakeMs)
    secure.on('error', (error) => fail(errorText(error)))
    secure.once('close', () => fail('the connection closed during the TLS handshake'))
    secure.once('secureConnect', () => {
      clearTimeout(timer)
      resolve({ ok: true, socket: secure, facts: clientFacts(secure, serverName) })
    })
  })
}

function clientFacts(socket: TLSSocket, serverName: string): TlsFacts {
  const version = socket.getProtocol() ?? 'unknown'
  const { standardName, name } = socket.getCipher()
  const exporter = version === 'TLSv1.3' ? exporterBinding(socket) : undefined
  return { version, cipher: standardName ?? name, serverName, exporter }
}
