import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Chance } from './chance.ts'
import type { Life, Scheduler } from './scheduler.ts'

/** What becomes of a connection. */
type Fate =
  | { readonly kind: 'whole' }
  /** Reset for both sides when so many pieces have gone in this direction; what was on its way is lost. */
  | { readonly kind: 'cut'; readonly from: 'client' | 'server'; pieces: number }
  /** From then on everything vanishes and neither side is told. */
  | { readonly kind: 'vanish'; readonly from: 'client' | 'server'; pieces: number }

export interface NetworkTrouble {
  /** Of connections that are cut on their way. */
  readonly cutShare: number
  readonly vanishShare: number
  readonly refuseShare: number
  readonly silentShare: number
  /** Of writes that arrive in several pieces. */
  readonly chopShare: number
  readonly latencyMs: number
}

export const NO_TROUBLE: NetworkTrouble = {
  cutShare: 0,
  vanishShare: 0,
  refuseShare: 0,
  silentShare: 0,
  chopShare: 0.1,
  latencyMs: 5,
}

export type Dialled = Socket | 'refused' | 'timeout'

interface Listening {
  readonly life: Life
  accept(socket: Socket): void
}

/** Octets on their way in one direction before the sender has to wait. */
const WINDOW_BYTES = 64 * 1024

/** Hosts by address and port, and the connections between them. */
export class Network {
  trouble: NetworkTrouble = NO_TROUBLE
  cuts = 0
  readonly sockets = new Set<WorldSocket>()
  readonly #listening = new Map<string, Listening>()
  readonly #scheduler: Scheduler
  readonly #chance: Chance
  readonly #note: (text: string) => void
  #port = 40_000
  #connections = 0

  constructor(scheduler: Scheduler, chance: Chance, note: (text: string) => void) {
    this.#scheduler = scheduler
    this.#chance = chance
    this.#note = note
  }

  listen(at: string, life: Life, accept: (socket: Socket) => void): () => void {
    this.#listening.set(at, { life, accept })
    return () => {
      if (this.#listening.get(at)?.life === life) this.#listening.delete(at)
    }
  }

  /** The socket of who calls; the other end goes to who listens, a little later. */
  connect(from: string, to: string, timeoutMs: number): Promise<Dialled> {
    const chance = this.#chance
    const life = this.#scheduler.current
    const { refuseShare, silentShare, latencyMs } = this.trouble
    if (chance.happens(silentShare)) return this.#scheduler.sleep(timeoutMs).then(() => 'timeout')
    const isRefused = chance.happens(refuseShare)
    return new Promise((resolve) => {
      this.#scheduler.after(chance.between(0.1, latencyMs), () => {
        const found = this.#listening.get(to)
        if (found === undefined || !found.life.alive || isRefused) resolve('refused')
        else resolve(this.#join({ from, to, life }, found))
      })
    })
  }

  /** The process is gone: its ends fall silent, and the other ones hear of it, at once or never. */
  dropLife(life: Life): void {
    for (const [at, listening] of this.#listening) if (listening.life === life) this.#listening.delete(at)
    for (const socket of [...this.sockets]) {
      if (socket.life !== life) continue
      this.sockets.delete(socket)
      const { peer } = socket
      if (peer !== undefined && this.#chance.happens(0.8)) this.#later(peer, () => peer.reset())
    }
  }

  open(life: Life): number {
    return [...this.sockets].filter((socket) => socket.life === life).length
  }

  #join(call: { readonly from: string; readonly to: string; readonly life: Life }, found: Listening): Socket {
    const [toAddress = '', toPort] = call.to.split(' ')
    const port = ++this.#port
    const id = `c${++this.#connections}`
    const fate = this.#fate()
    const client = new WorldSocket(this, { id: `${id}>`, side: 'client', life: call.life, fate })
    const server = new WorldSocket(this, { id: `${id}<`, side: 'server', life: found.life, fate })
    const at = (address: string, portNumber: number) => ({ address, port: portNumber })
    client.describe(at(call.from, port), at(toAddress, Number(toPort)))
    server.describe(at(toAddress, Number(toPort)), at(call.from, port))
    client.isOurs = true
    client.peer = server
    server.peer = client
    this.#note(
      `${id} ${call.from} connects to ${call.to}${fate.kind === 'whole' ? '' : `, to be ${fate.kind}`}`,
    )
    this.#scheduler.after(
      this.#chance.between(0.1, this.trouble.latencyMs),
      () => {
        // One that broke while it waited to be accepted never is.
        if (!found.life.alive || server.destroyed) return
        server.isOurs = true
        found.accept(server as unknown as Socket)
      },
      found.life,
    )
    return client as unknown as Socket
  }

  #fate(): Fate {
    const { cutShare, vanishShare } = this.trouble
    const chance = this.#chance
    const kind = chance.happens(cutShare) ? 'cut' : chance.happens(vanishShare) ? 'vanish' : 'whole'
    if (kind === 'whole') return { kind }
    return { kind, from: chance.pick(['client', 'server']), pieces: 1 + chance.below(9) }
  }

  /** Whether a piece goes on its way; spends the connection's fate. */
  passes(socket: WorldSocket): boolean {
    const { fate } = socket
    if (fate.kind === 'whole') return true
    if (fate.pieces > 0 && fate.from === socket.side) fate.pieces--
    if (fate.pieces > 0) return true
    if (fate.kind === 'cut' && !socket.isBroken) this.#cut(socket)
    return false
  }

  #cut(socket: WorldSocket): void {
    this.cuts++
    this.#note(`${socket.id} is cut`)
    for (const end of [socket, socket.peer]) {
      if (end === undefined) continue
      end.isBroken = true
      this.#later(end, () => end.reset())
    }
  }

  /** Sends octets to the other end, in pieces and in order. `taken` is called when the window has room again. */
  send(socket: WorldSocket, bytes: Uint8Array, taken: () => void): void {
    const { peer } = socket
    const pieces = this.#chop(bytes)
    for (const [index, piece] of pieces.entries()) {
      const isLast = index === pieces.length - 1
      if (!this.passes(socket) || peer === undefined) {
        // The sender's own system takes the octets all the same, until it is told.
        if (isLast) this.#scheduler.after(0.1, taken, socket.life)
        continue
      }
      socket.inFlightBytes += piece.length
      this.#scheduler.after(
        this.#arrival(socket),
        () => {
          socket.inFlightBytes -= piece.length
          if (!socket.isBroken) {
            this.#note(`${socket.id} ${piece.length} ${first(piece)}`)
            peer.arrive(piece)
          }
        },
        peer.life,
      )
      if (!isLast) continue
      if (socket.inFlightBytes + peer.unreadBytes < WINDOW_BYTES)
        this.#scheduler.after(0.02, taken, socket.life)
      else peer.onRoom(() => this.#scheduler.after(0.1, taken, socket.life))
    }
  }

  /** Tells the other end that nothing more comes. */
  finish(socket: WorldSocket): void {
    const { peer } = socket
    if (peer !== undefined && this.passes(socket))
      this.#scheduler.after(this.#arrival(socket), () => peer.arrive(null), peer.life)
  }

  /** Our end is destroyed: the other one is reset, unless it has heard the end already. */
  abandon(socket: WorldSocket): void {
    this.sockets.delete(socket)
    const { peer } = socket
    if (peer === undefined || socket.fate.kind === 'vanish') return
    this.#scheduler.after(this.#arrival(socket), () => peer.peerGone(), peer.life)
  }

  timer(delayMs: number, run: () => void): () => void {
    const handle = this.#scheduler.after(delayMs, run)
    return () => handle.cancel()
  }

  #later(socket: WorldSocket, run: () => void): void {
    this.#scheduler.after(this.#chance.between(0.1, this.trouble.latencyMs), run, socket.life)
  }

  /** Never before what was sent earlier in the same direction. */
  #arrival(socket: WorldSocket): number {
    const nowMs = this.#scheduler.nowMs
    socket.lastArrivalMs = Math.max(
      socket.lastArrivalMs + 0.001,
      nowMs + this.#chance.between(0.05, this.trouble.latencyMs),
    )
    return socket.lastArrivalMs - nowMs
  }

  #chop(bytes: Uint8Array): Uint8Array[] {
    const copy = Buffer.from(bytes)
    if (copy.length < 2 || !this.#chance.happens(this.trouble.chopShare)) return [copy]
    const at = 1 + this.#chance.below(copy.length - 1)
    const second = at + this.#chance.below(copy.length - at)
    return [copy.subarray(0, at), copy.subarray(at, second), copy.subarray(second)].filter(
      ({ length }) => length > 0,
    )
  }
}

interface End {
  readonly address: string
  readonly port: number
}

/** One end of a connection: a stream as `node:net` gives it, as far as anybody here looks. */
export class WorldSocket extends Duplex {
  readonly id: string
  readonly side: 'client' | 'server'
  readonly life: Life
  readonly fate: Fate
  peer: WorldSocket | undefined
  isBroken = false
  /** Somebody in the process has it: from then on an error that nobody listens to ends the process. */
  isOurs = false
  inFlightBytes = 0
  lastArrivalMs = 0
  localAddress = ''
  localPort = 0
  remoteAddress = ''
  remotePort = 0
  readonly #network: Network
  #pending: (Buffer | null)[] = []
  #unreadBytes = 0
  #wantsMore = false
  #hasEnded = false
  #room: (() => void)[] = []

  constructor(
    network: Network,
    as: { readonly id: string; readonly side: 'client' | 'server'; readonly life: Life; readonly fate: Fate },
  ) {
    super({ allowHalfOpen: true })
    this.#network = network
    this.id = as.id
    this.side = as.side
    this.life = as.life
    this.fate = as.fate
    network.sockets.add(this)
  }

  describe(local: End, remote: End): void {
    this.localAddress = local.address
    this.localPort = local.port
    this.remoteAddress = remote.address
    this.remotePort = remote.port
  }

  get unreadBytes(): number {
    return this.#unreadBytes
  }

  arrive(piece: Uint8Array | null): void {
    if (this.destroyed) return
    this.#pending.push(piece === null ? null : Buffer.from(piece))
    this.#unreadBytes += piece?.length ?? 0
    this.#deliver()
  }

  /** The connection broke. */
  reset(): void {
    if (this.destroyed || !this.life.alive) return
    const error = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    this.destroy(this.isOurs ? error : undefined)
  }

  /** The other end was destroyed: heard of as a reset by who had not seen its end. */
  peerGone(): void {
    if (this.#hasEnded) return
    this.reset()
  }

  onRoom(callback: () => void): void {
    this.#room.push(callback)
  }

  setTimeout(delayMs: number, callback: () => void): this {
    const cancel = this.#network.timer(delayMs, callback)
    this.once('close', cancel)
    return this
  }

  override _read(): void {
    this.#wantsMore = true
    this.#deliver()
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    this.#network.send(this, chunk, () => callback())
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#network.finish(this)
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#network.abandon(this)
    this.#open()
    callback(error)
  }

  #deliver(): void {
    while (this.#wantsMore && this.#pending.length > 0) {
      const piece = this.#pending.shift() as Buffer | null
      this.#unreadBytes -= piece?.length ?? 0
      if (piece === null) this.#hasEnded = true
      if (!this.push(piece)) this.#wantsMore = false
    }
    if (this.#unreadBytes < WINDOW_BYTES) this.#open()
  }

  #open(): void {
    const room = this.#room
    this.#room = []
    for (const one of room) one()
  }
}

function first(piece: Uint8Array): string {
  return Buffer.from(piece.subarray(0, 60))
    .toString('latin1')
    .replace(/[^ -~]+/g, '~')
}
