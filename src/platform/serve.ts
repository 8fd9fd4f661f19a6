import type { Socket } from 'node:net'
import { canonicalIp, type Network } from '../mail/ip.ts'
import type { TlsFacts } from '../mail/tls-facts.ts'
import type { Log } from '../ports/log.ts'
import type { Machine } from '../protocol/machine.ts'
import type { ConnectionCaps } from './connection-caps.ts'
import type { Deadlines } from './deadlines.ts'
import { drive, type SessionConnection, type SessionHandler } from './drive.ts'
import { CONNECTION_LIMITS as LIMITS } from './limits.ts'
import type { Listener } from './listen.ts'
import type { Peer } from './peer.ts'
import { isProxy, takeProxyHeader } from './proxy-header.ts'
import { errorText } from './socket-events.ts'
import type { ServerTls } from './tls.ts'
import { acceptTls } from './tls-accept.ts'

/** What is served on a listener. */
export interface Service<Ask, Tell, Answer> {
  /** Keeps TLS sessions apart: `smtp`, `imap`. */
  readonly protocol: string
  readonly implicitTls: boolean
  /** For implicit TLS and STARTTLS; undefined where there is no certificate. Asked at each handshake. */
  readonly tls: () => ServerTls | undefined
  /** Only from here, and then always, a PROXY header comes first. */
  readonly proxyFrom: readonly Network[]
  /** Core and session for one client; called when its addresses (and with implicit TLS its TLS) are known. */
  session(peer: Peer): {
    readonly machine: Machine<Ask, Tell, Answer>
    readonly handler: SessionHandler<Ask, Tell, Answer>
  }
  /** What a client reads that is one too many: `421 4.7.0 …\r\n`. Not sent where TLS would have to come first. */
  readonly tooMany: Uint8Array
}

export interface ServeEnv {
  readonly caps: ConnectionCaps
  readonly deadlines: Deadlines
  readonly log: Log
}

/** Connections of one listener that stand. */
export interface Served {
  readonly connections: ReadonlySet<SessionConnection>
  /** Resolves when the last one is gone; those that stand after `timeoutMs` are cut off. */
  finished(timeoutMs: number): Promise<void>
}

/** Serves every client of the listener: counts it, reads its PROXY header, starts TLS, drives its core. */
export function serve<Ask, Tell, Answer>(
  listener: Listener,
  service: Service<Ask, Tell, Answer>,
  env: ServeEnv,
): Served {
  const server = new Serving(listener, service, env)
  listener.start((socket) => server.accept(socket))
  return server
}

class Serving<Ask, Tell, Answer> implements Served {
  readonly connections = new Set<SessionConnection>()
  readonly #listener: Listener
  readonly #service: Service<Ask, Tell, Answer>
  readonly #env: ServeEnv
  #idle: PromiseWithResolvers<void> | undefined

  constructor(listener: Listener, service: Service<Ask, Tell, Answer>, env: ServeEnv) {
    this.#listener = listener
    this.#service = service
    this.#env = env
  }

  finished(timeoutMs: number): Promise<void> {
    if (this.connections.size === 0) return Promise.resolve()
    this.#idle ??= Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      for (const connection of this.connections) connection.cut('the server stops')
    }, timeoutMs)
    return this.#idle.promise.finally(() => clearTimeout(timer))
  }

  accept(socket: Socket): void {
    const leave = this.#env.caps.enter()
    if (leave === undefined) {
      this.#refuse(socket)
      return
    }
    socket.once('close', leave)
    this.#prepare(socket).catch((error: unknown) => {
      this.#env.log.event('server.fault', { listener: this.#listener.name, cause: errorText(error) })
      socket.destroy()
    })
  }

  /** From a bare socket to a driven core; a client that is refused on the way is gone afterwards. */
  async #prepare(raw: Socket): Promise<void> {
    const peer = await this.#identify(raw)
    if (peer === undefined) return
    const leave = this.#env.caps.enterClient(peer.remoteAddress)
    if (leave === undefined) {
      this.#env.log.event('connection.refused', {
        listener: peer.listener,
        client: peer.remoteAddress,
        cause: 'too many connections from this client',
      })
      this.#refuse(raw)
      return
    }
    raw.once('close', leave)
    if (!this.#service.implicitTls) return this.#drive(raw, peer)
    const secured = await this.#secure(raw, peer)
    if (secured !== undefined) this.#drive(secured.socket, { ...peer, tls: secured.facts })
  }

  async #identify(socket: Socket): Promise<Peer | undefined> {
    const direct = directPeer(socket, this.#listener.name)
    if (!isProxy(direct.remoteAddress, this.#service.proxyFrom)) return direct
    const header = await takeProxyHeader(socket, LIMITS.proxyHeaderMs)
    if (header.ok)
      return header.addresses === undefined ? direct : { ...direct, ...header.addresses, proxied: true }
    this.#env.log.event('connection.refused', {
      listener: direct.listener,
      client: direct.remoteAddress,
      cause: header.cause,
    })
    socket.destroy()
    return undefined
  }

  async #secure(
    raw: Socket,
    peer: Peer,
  ): Promise<{ readonly socket: Socket; readonly facts: TlsFacts } | undefined> {
    const tls = this.#service.tls()
    if (tls === undefined) {
      raw.destroy()
      return undefined
    }
    const { socket, done } = acceptTls(raw, tls, this.#service.protocol)
    const timer = setTimeout(() => socket.destroy(new Error('no TLS in time')), LIMITS.tlsHandshakeMs)
    const result = await done
    clearTimeout(timer)
    if (result.ok) return { socket, facts: result.facts }
    this.#env.log.event('tls.failed', {
      listener: peer.listener,
      client: peer.remoteAddress,
      cause: result.cause,
    })
    return undefined
  }

  #drive(socket: Socket, peer: Peer): void {
    if (socket.destroyed) return
    const tls = this.#service.tls()
    const { protocol } = this.#service
    const { machine, handler } = this.#service.session(peer)
    const connection = drive({
      socket,
      peer,
      machine,
      handler,
      deadlines: this.#env.deadlines,
      log: this.#env.log,
      upgrade:
        tls === undefined ? undefined : (plain) => acceptTls(plain, this.#service.tls() ?? tls, protocol),
    })
    if (socket.destroyed) return
    this.connections.add(connection)
    socket.once('close', () => {
      this.connections.delete(connection)
      if (this.connections.size === 0) this.#idle?.resolve()
    })
  }

  #refuse(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    if (this.#service.implicitTls) socket.destroy()
    else {
      socket.setTimeout(LIMITS.lingerMs, () => socket.destroy())
      socket.end(this.#service.tooMany)
      socket.resume()
    }
  }
}

/** As the kernel knows it. An IPv4 client on an IPv6 socket is the IPv4 client. */
function directPeer(socket: Socket, listener: string): Peer {
  const { remoteAddress, localAddress } = socket
  return {
    listener,
    remoteAddress: remoteAddress === undefined ? 'unix' : (canonicalIp(remoteAddress) ?? remoteAddress),
    remotePort: socket.remotePort ?? 0,
    localAddress: localAddress === undefined ? 'unix' : (canonicalIp(localAddress) ?? localAddress),
    localPort: socket.localPort ?? 0,
    proxied: false,
  }
}
