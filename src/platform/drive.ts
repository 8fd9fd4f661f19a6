import type { Socket } from 'node:net'
import { assert } from '../mail/assert.ts'
import type { TlsFacts } from '../mail/tls-facts.ts'
import type { Log } from '../ports/log.ts'
import type { Machine } from '../protocol/machine.ts'
import type { Deadlines, Timed } from './deadlines.ts'
import { CONNECTION_LIMITS as LIMITS, TURN_LOOK_BYTES, TURN_STEP_BYTES } from './limits.ts'
import type { Holding, MemoryBudget } from './memory-budget.ts'
import { Outbox } from './outbox.ts'
import type { CloseReason, Peer } from './peer.ts'
import { isPromise, type SessionConnection, type SessionHandler } from './session-handler.ts'
import { attachSink, detachSink, errorText, type SocketSink } from './socket-events.ts'
import type { TlsUpgrade } from './tls-accept.ts'
import type { TurnBy, TurnTaking } from './turns.ts'

export interface DriveOptions<Ask, Tell, Answer> {
  readonly socket: Socket
  readonly peer: Peer
  readonly machine: Machine<Ask, Tell, Answer>
  readonly handler: SessionHandler<Ask, Tell, Answer>
  readonly deadlines: Deadlines
  readonly log: Log
  readonly memory: MemoryBudget
  /** Whose memory is used before a login: the client's key in the caps. */
  readonly clientKey: string
  readonly turns: TurnTaking
  /** Connections that one account may have. */
  readonly perAccount: number
  /** The client has become somebody. */
  readonly onLogin?: (() => void) | undefined
  /** How STARTTLS is done; without it a core that asks for it is at fault. */
  readonly upgrade?: ((socket: Socket) => TlsUpgrade) | undefined
}

type State = 'open' | 'upgrading' | 'closing' | 'gone'

/**
 * The loop between one socket and one core: bytes in, `next()`, bytes out. The core is told the time
 * (`tick`) before each run, so it knows when its input came. Everything written in one run leaves in one
 * write; while a question is open the write waits for the end of the event loop's turn, so that replies whose
 * answers come together leave together.
 */
class Drive<Ask, Tell, Answer> implements SessionConnection, SocketSink, Timed {
  dueMs = Number.POSITIVE_INFINITY
  tls: TlsFacts | undefined
  readonly #given: DriveOptions<Ask, Tell, Answer>
  readonly #machine: Machine<Ask, Tell, Answer>
  readonly #out: Outbox
  readonly #holding: Holding
  #sessionBytes = 0
  #socket: Socket
  #state: State = 'open'
  #running = false
  #askOpen = false
  #tellOpen = false
  #flushLater = false
  /** Too much is unsent: the core rests until the socket's `drain`. */
  #blocked = false
  #peerEnded = false
  /** While open: pushed and perhaps not looked at yet. While closing: thrown away. */
  #inBytes = 0
  /** Input and steps since the last look at how long this turn of the event loop lasts. */
  #turnBytes = 0
  #turnBy: TurnBy = 'strangers'
  /** It was too long: the core rests, unread, until it is this connection's turn again. */
  #waitsTurn = false
  /** When the handshake or the lingering close must be over. */
  #phaseDueMs = Number.POSITIVE_INFINITY
  #reason: CloseReason | undefined
  #waiter: PromiseWithResolvers<boolean> | undefined

  constructor(given: DriveOptions<Ask, Tell, Answer>) {
    this.#given = given
    this.#machine = given.machine
    this.#socket = given.socket
    this.tls = given.peer.tls
    this.#out = new Outbox(given.socket, given.deadlines, () => this.#account())
    this.#holding = given.memory.hold({ class: 'strangers', key: given.clientKey }, () => this.#shed())
    attachSink(given.socket, this)
  }

  start(): void {
    this.#guard(() => this.#given.handler.attached(this))
    this.#run()
    // Who read a PROXY header left it paused; a core that waits before it greets must hear who talks too early.
    if (this.#state === 'open' && this.#inBytes === 0) this.#socket.resume()
  }

  get peer(): Peer {
    return this.#given.peer
  }

  get gone(): boolean {
    return this.#state === 'gone'
  }

  pump(): void {
    this.#run()
  }

  drained(): Promise<boolean> {
    if (this.#state === 'gone' || this.#state === 'closing') return Promise.resolve(false)
    // Broken, and the event that says so is still on its way: a loop of promises would never let it come.
    if (!this.#socket.writable) return Promise.resolve(false)
    if (this.#out.unsentBytes >= LIMITS.unsentBytes) {
      this.#blocked = this.#out.flush()
      if (this.#blocked) {
        this.#rest()
        this.#waiter ??= Promise.withResolvers<boolean>()
        return this.#waiter.promise
      }
    }
    const { turns } = this.#given
    return turns.isOver() ? turns.next(this.#turnBy).then(() => this.#socket.writable) : Promise.resolve(true)
  }

  hold(sizeBytes: number): void {
    this.#sessionBytes = sizeBytes
    this.#account()
  }

  belongsTo(login: string): boolean {
    if (this.#state === 'gone') return true
    const { memory, onLogin, perAccount } = this.#given
    const owner = { class: 'members', key: login } as const
    if (login !== '' && memory.holdings(owner) >= perAccount) return false
    onLogin?.()
    this.#turnBy = 'members'
    this.#holding.moveTo(owner)
    return true
  }

  get isTight(): boolean {
    return this.#holding.isTight
  }

  admits(): boolean {
    return this.#holding.admits()
  }

  cut(cause: string): void {
    this.#destroy({ kind: 'cut', cause })
  }

  // What the socket says.

  data(chunk: Buffer): void {
    this.#inBytes += chunk.length
    if (this.#state === 'closing') {
      if (this.#inBytes > LIMITS.lingerBytes) this.#socket.destroy()
      return
    }
    this.#turnBytes += chunk.length
    this.#machine.push(chunk)
    if (this.#inBytes >= LIMITS.unreadBytes) this.#socket.pause()
    this.#run()
  }

  ended(): void {
    this.#peerEnded = true
    if (this.#state !== 'open') return
    this.#guard(() => this.#machine.end())
    this.#run()
  }

  drainEvent(): void {
    this.#blocked = false
    this.#waiter?.resolve(true)
    this.#waiter = undefined
    this.#run()
  }

  failed(error: Error): void {
    this.#destroy({ kind: 'broken', cause: errorText(error) })
  }

  closed(): void {
    if (this.#state === 'gone') return
    detachSink(this.#socket)
    this.#state = 'gone'
    this.#holding.close()
    this.#given.deadlines.remove(this)
    this.#waiter?.resolve(false)
    this.#waiter = undefined
    const reason = this.#reason ?? { kind: 'peer-closed', cause: 'the client closed the connection' }
    try {
      this.#given.handler.closed(reason)
    } catch (error) {
      this.#logFault(error)
    }
  }

  /** Called by the deadlines' timer. */
  expire(nowMs: number): void {
    if (this.#out.stalledAtMs <= nowMs)
      this.#destroy({ kind: 'stalled', cause: `the client read nothing for ${LIMITS.stallMs / 1000} s` })
    else if (this.#state === 'closing') this.#socket.destroy()
    else if (this.#state === 'upgrading')
      this.#destroy({ kind: 'tls-failed', cause: `no TLS within ${LIMITS.tlsHandshakeMs / 1000} s` })
    else {
      // Time passes for the core also while a slow disk or a slow peer keeps it at rest.
      this.#guard(() => this.#machine.tick(nowMs))
      this.#run()
    }
  }

  // The loop.

  #run(): void {
    if (this.#running || this.#state !== 'open') return
    this.#running = true
    this.#guard(() => {
      this.#machine.tick(this.#given.deadlines.nowMs())
      while (this.#mayStep() && this.#step());
    })
    this.#running = false
    this.#rest()
  }

  #mayStep(): boolean {
    if (this.#state !== 'open' || this.#tellOpen || this.#blocked || !this.#socket.writable) return false
    if (this.#waitsTurn || this.#isTurnOver()) return false
    if (this.#out.unsentBytes < LIMITS.unsentBytes) return true
    this.#blocked = this.#out.flush()
    return !this.#blocked
  }

  /**
   * Many short commands in one piece of input, or many pieces that are there already, would all be looked at in one
   * turn of the event loop, and everyone else would wait.
   */
  #isTurnOver(): boolean {
    this.#turnBytes += TURN_STEP_BYTES
    if (this.#turnBytes < TURN_LOOK_BYTES) return false
    this.#turnBytes = 0
    const { turns } = this.#given
    if (!turns.isOver()) return false
    this.#waitsTurn = true
    this.#socket.pause()
    void turns.next(this.#turnBy).then(() => {
      this.#waitsTurn = false
      if (this.#state !== 'open') return
      if (this.#inBytes < LIMITS.unreadBytes) this.#socket.resume()
      this.#run()
    })
    return true
  }

  /** Does what the core wants next; false where it has nothing more to do for now. */
  #step(): boolean {
    const step = this.#machine.next()
    switch (step.kind) {
      case 'write':
        this.#out.add(step.bytes)
        return true
      case 'ask':
        this.#ask(step.ask)
        return true
      case 'tell':
        this.#tell(step.tell)
        return true
      case 'start-tls':
        this.#startTls()
        return true
      case 'close':
        this.#finish({ kind: 'finished', cause: 'closed by the server' })
        return false
      case 'need-input':
        this.#needInput()
        return false
    }
  }

  #ask(ask: Ask): void {
    assert(!this.#askOpen, 'a core asks one question at a time')
    const answer = this.#given.handler.ask(ask)
    if (!isPromise(answer)) {
      this.#machine.answer(answer)
      return
    }
    this.#askOpen = true
    answer.then(
      (value) => this.#answered(value),
      (error) => this.#fault(error),
    )
  }

  #answered(answer: Answer): void {
    this.#askOpen = false
    if (this.#state === 'gone' || this.#state === 'closing') return
    this.#guard(() => this.#machine.answer(answer))
    this.#run()
  }

  #tell(tell: Tell): void {
    const done = this.#given.handler.tell(tell)
    if (!isPromise(done)) return
    this.#tellOpen = true
    done.then(
      () => {
        this.#tellOpen = false
        this.#run()
      },
      (error) => this.#fault(error),
    )
  }

  #needInput(): void {
    if (this.#askOpen) return
    // The core has looked at everything it has.
    this.#inBytes = 0
    if (this.#socket.isPaused()) this.#socket.resume()
    if (this.#peerEnded) this.#finish({ kind: 'peer-closed', cause: 'the client closed the connection' })
  }

  #startTls(): void {
    const upgrade = this.#given.upgrade
    assert(upgrade !== undefined, 'STARTTLS is offered only where there is a certificate')
    this.#out.flush()
    this.#state = 'upgrading'
    this.#phaseDueMs = this.#given.deadlines.nowMs() + LIMITS.tlsHandshakeMs
    detachSink(this.#socket)
    const { socket, done } = upgrade(this.#socket)
    this.#socket = socket
    // Until then nobody listens to the new socket but the upgrade; its end ends `done` too.
    done.then((result) => {
      if (result.ok) this.#tlsStands(result.facts)
      else this.#tlsFailed(result.cause)
    })
  }

  #tlsStands(facts: TlsFacts): void {
    if (this.#socket.destroyed) {
      this.closed()
      return
    }
    attachSink(this.#socket, this)
    this.#out.moveTo(this.#socket)
    if (this.#state !== 'upgrading') return
    this.#state = 'open'
    this.#phaseDueMs = Number.POSITIVE_INFINITY
    this.#inBytes = 0
    this.tls = facts
    this.#guard(() => this.#machine.tlsStarted(facts))
    this.#run()
  }

  #tlsFailed(cause: string): void {
    this.#reason ??= { kind: 'tls-failed', cause }
    this.closed()
  }

  /** After a run: what is due leaves, and the deadline is told. */
  #rest(): void {
    if (this.#state === 'gone') return
    if (this.#state === 'open' && !this.#out.isEmpty) {
      if (!this.#askOpen) this.#blocked = this.#out.flush()
      else if (!this.#flushLater) {
        this.#flushLater = true
        setImmediate(() => this.#flushNow())
      }
    }
    const core =
      this.#state === 'open' ? (this.#machine.deadline() ?? Number.POSITIVE_INFINITY) : this.#phaseDueMs
    this.dueMs = Math.min(core, this.#out.stalledAtMs)
    this.#given.deadlines.set(this)
    this.#account()
  }

  /** Tells the budget what this client makes us keep; a connection that is being cut off keeps nothing any more. */
  #account(): void {
    const { heldBytes } = this.#machine
    this.#holding.set(this.#socket.destroyed ? 0 : heldBytes + this.#out.unsentBytes + this.#sessionBytes)
  }

  #shed(): void {
    try {
      if (this.#given.handler.shed?.() === true) return
    } catch (error) {
      this.#fault(error)
      return
    }
    this.#destroy({ kind: 'shed', cause: 'memory was short, and this client held the most' })
    this.#account()
  }

  #flushNow(): void {
    this.#flushLater = false
    if (this.#state !== 'open') return
    this.#blocked = this.#out.flush()
    this.#rest()
  }

  // The end.

  /** Everything written leaves, then our side closes; the peer's is waited for, so that it gets the last reply. */
  #finish(reason: CloseReason): void {
    this.#out.flush()
    this.#close(reason)
    this.#socket.end(() => {
      this.#phaseDueMs = this.#given.deadlines.nowMs() + LIMITS.lingerMs
      this.#rest()
    })
    this.#socket.resume()
  }

  #destroy(reason: CloseReason): void {
    this.#close(reason)
    this.#socket.destroy()
  }

  #close(reason: CloseReason): void {
    if (this.#state === 'gone') return
    this.#reason ??= reason
    this.#state = 'closing'
    this.#phaseDueMs = Number.POSITIVE_INFINITY
    this.#inBytes = 0
    this.#waiter?.resolve(false)
    this.#waiter = undefined
  }

  #guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#fault(error)
    }
  }

  #fault(error: unknown): void {
    if (this.#state === 'gone') return
    this.#logFault(error)
    this.#destroy({ kind: 'fault', cause: errorText(error) })
  }

  #logFault(error: unknown): void {
    this.#given.log.event('server.fault', {
      listener: this.peer.listener,
      client: this.peer.remoteAddress,
      cause: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
  }
}

/** Starts a connection: from here on it drives itself. Cutting it off is the returned connection's `cut`. */
export function drive<Ask, Tell, Answer>(options: DriveOptions<Ask, Tell, Answer>): SessionConnection {
  const started = new Drive(options)
  started.start()
  return started
}
