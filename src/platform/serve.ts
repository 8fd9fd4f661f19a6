import type { Socket } from 'node:net'
import { assert } from '../mail/assert.ts'
import { canonicalIp, type Network } from '../mail/ip.ts'
import type { TlsFacts } from '../mail/tls-facts.ts'
import type { Log } from '../ports/log.ts'
import type { Machine } from '../protocol/machine.ts'
import type { ConnectionCaps, Door, Guest } from './connection-caps.ts'
import type { Deadlines } from './deadlines.ts'
import { drive } from './drive.ts'
import { CONNECTION_LIMITS as LIMITS, LISTEN_LIMITS } from './limits.ts'
import type { Listener } from './listen.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { Peer } from './peer.ts'
import { isProxy, takeProxyHeader } from './proxy-header.ts'
import type { SessionConnection, SessionHandler } from './session-handler.ts'
import { errorText } from './socket-events.ts'
import type { ServerTls } from './tls.ts'
import { acceptTls, type TlsUpgrade } from './tls-accept.ts'
import type { TurnTaking } from './turns.ts'

/** What is served on a listener. */
export interface Service<Ask, Tell, Answer> {
  /** Keeps TLS sessions apart: `smtp`, `imap`. */
  readonly protocol: string
  readonly implicitTls: boolean
  /** Whether other servers come here, or people who log in. */
  readonly door: Door
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
  readonly memory: MemoryBudget
  readonly turns: TurnTaking
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

/** A client from its first packet to its last; most of the time it is just a driven connection. */
interface Entrant {
  readonly raw: Socket
  clientKey: string | undefined
  connection: SessionConnection | undefined
  readonly guest: Guest
  isDisplaced: boolean
}

class Serving<Ask, Tell, Answer> implements Served {
  readonly connections = new Set<SessionConnection>()
  readonly #listener: Listener
  readonly #service: Service<Ask, Tell, Answer>
  readonly #env: ServeEnv
  readonly #entrants = new Set<Entrant>()
  #idle: PromiseWithResolvers<void> | undefined
  #stopping = false
  /** Refused clients that are being told why. */
  #refusedOpen = 0
  #turnedAway = 0
  #turnedAwayToldMs = Number.NEGATIVE_INFINITY

  constructor(listener: Listener, service: Service<Ask, Tell, Answer>, env: ServeEnv) {
    this.#listener = listener
    this.#service = service
    this.#env = env
  }

  finished(timeoutMs: number): Promise<void> {
    this.#stopping = true
    for (const { raw, connection } of this.#entrants) if (connection === undefined) raw.destroy()
    if (this.#entrants.size === 0) return Promise.resolve()
    this.#idle ??= Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      for (const connection of this.connections) connection.cut('the server stops')
    }, timeoutMs)
    return this.#idle.promise.finally(() => clearTimeout(timer))
  }

  accept(raw: Socket): void {
    if (this.#stopping) {
      raw.destroy()
      return
    }
    const { caps } = this.#env
    if (!caps.enter(this.#service.door)) {
      this.#tellFull()
      this.#refuse(raw)
      return
    }
    const entrant: Entrant = {
      raw,
      clientKey: undefined,
      connection: undefined,
      guest: { cut: () => this.#displaced(entrant) },
      isDisplaced: false,
    }
    this.#entrants.add(entrant)
    if (this.#service.door === 'own') caps.guest(entrant.guest)
    raw.once('close', () => this.#left(entrant))
    this.#prepare(entrant).catch((error: unknown) => {
      this.#env.log.event('server.fault', { listener: this.#listener.name, cause: errorText(error) })
      raw.destroy()
    })
  }

  #left(entrant: Entrant): void {
    const { caps } = this.#env
    caps.leave(this.#service.door)
    caps.known(entrant.guest)
    if (entrant.isDisplaced) caps.displacedLeft()
    if (entrant.clientKey !== undefined) caps.leaveClient(entrant.clientKey)
    if (entrant.connection !== undefined) this.connections.delete(entrant.connection)
    this.#entrants.delete(entrant)
    if (this.#entrants.size === 0) this.#idle?.resolve()
  }

  /** The server is full, and a newer client gets this one's place. */
  #displaced(entrant: Entrant): void {
    entrant.isDisplaced = true
    this.#tellFull()
    if (entrant.connection === undefined) entrant.raw.destroy()
    else entrant.connection.cut('the server is full, and it has not logged in')
  }

  /** From a bare socket to a driven core; a client that is refused on the way is gone afterwards. */
  async #prepare(entrant: Entrant): Promise<void> {
    const { raw } = entrant
    const peer = await this.#identify(raw)
    if (peer === undefined || raw.destroyed) return
    entrant.clientKey = this.#env.caps.enterClient(peer.remoteAddress)
    if (entrant.clientKey === undefined) {
      this.#tellRefused(peer, 'too many connections from this client')
      this.#refuse(raw)
      return
    }
    if (!this.#service.implicitTls) this.#drive(entrant, raw, peer)
    else {
      const secured = await this.#secure(raw, peer)
      if (secured !== undefined) this.#drive(entrant, secured.socket, { ...peer, tls: secured.facts })
    }
  }

  async #identify(socket: Socket): Promise<Peer | undefined> {
    const direct = directPeer(socket, this.#listener)
    if (direct === undefined) {
      socket.destroy()
      return undefined
    }
    if (!isProxy(direct.remoteAddress, this.#service.proxyFrom)) return direct
    const header = await takeProxyHeader(socket, LIMITS.proxyHeaderMs)
    if (header.ok)
      return header.addresses === undefined ? direct : { ...direct, ...header.addresses, proxied: true }
    this.#tellRefused(direct, header.cause)
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

  #drive(entrant: Entrant, socket: Socket, peer: Peer): void {
    if (socket.destroyed) return
    const { machine, handler } = this.#service.session(peer)
    const { caps, deadlines, log, memory, turns } = this.#env
    const clientKey = entrant.clientKey ?? ''
    const onLogin = (): void => caps.known(entrant.guest)
    const { perAccount } = caps
    const parts = { deadlines, log, memory, turns, perAccount, clientKey, onLogin, upgrade: this.#upgrade }
    const connection = drive({ socket, peer, machine, handler, ...parts })
    if (socket.destroyed) return
    entrant.connection = connection
    this.connections.add(connection)
  }

  /** STARTTLS, with the certificate of this moment. One function for all connections. */
  readonly #upgrade = (socket: Socket): TlsUpgrade => {
    const tls = this.#service.tls()
    assert(tls !== undefined, 'STARTTLS is offered only where there is a certificate')
    return acceptTls(socket, tls, this.#service.protocol)
  }

  #tellRefused(peer: Peer, cause: string): void {
    const { listener, remoteAddress: client } = peer
    this.#env.log.event('connection.refused', { listener, client, cause })
  }

  /** A full server must not fill its log as well. */
  #tellFull(): void {
    this.#turnedAway++
    const nowMs = this.#env.deadlines.nowMs()
    if (nowMs - this.#turnedAwayToldMs < LISTEN_LIMITS.acceptErrorEveryMs) return
    this.#turnedAwayToldMs = nowMs
    this.#env.log.event('connection.refused', {
      listener: this.#listener.name,
      clients: this.#turnedAway,
      cause: 'the server has as many connections as it may',
    })
    this.#turnedAway = 0
  }

  /** Tells why where it can: for one short time whatever the client sends, and not to a flood. */
  #refuse(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    if (this.#service.implicitTls || this.#refusedOpen >= LISTEN_LIMITS.refusedAtOnce) {
      socket.destroy()
      return
    }
    this.#refusedOpen++
    const timer = setTimeout(() => socket.destroy(), LIMITS.lingerMs)
    socket.once('close', () => {
      clearTimeout(timer)
      this.#refusedOpen--
    })
    socket.end(this.#service.tooMany)
    socket.resume()
  }
}

/**
 * As the kernel knows it; undefined where the client has gone already. An IPv4 client on an IPv6 socket is the
 * IPv4 client.
 */
function directPeer(socket: Socket, { name, at }: Listener): Peer | undefined {
  const unix = at.kind === 'unix' ? 'unix' : undefined
  const remoteAddress = unix ?? canonicalIp(socket.remoteAddress ?? '')
  const localAddress = unix ?? canonicalIp(socket.localAddress ?? '')
  if (remoteAddress === undefined || localAddress === undefined) return undefined
  return {
    listener: name,
    remoteAddress,
    remotePort: socket.remotePort ?? 0,
    localAddress,
    localPort: socket.localPort ?? 0,
    proxied: false,
  }
}
