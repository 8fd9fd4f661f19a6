import type { Socket } from 'node:net'
import { CONNECTION_LIMITS as LIMITS } from './limits.ts'

/**
 * What a core wants to send, gathered until `flush`. Small pieces are joined into one write (a socket write
 * costs more than all else on the way of a short reply); large ones go to the kernel as a list.
 */
export class Outbox {
  #socket: Socket
  readonly #clock: { nowMs(): number }
  readonly #onTaken: () => void
  #pieces: Uint8Array[] = []
  #bytes = 0
  #writesOpen = 0
  /** When the peer counts as stalled, unless it takes something before. */
  stalledAtMs = Number.POSITIVE_INFINITY

  /** @param onTaken hears when the kernel has taken all that was written. */
  constructor(socket: Socket, clock: { nowMs(): number }, onTaken: () => void) {
    this.#socket = socket
    this.#clock = clock
    this.#onTaken = onTaken
  }

  /** After STARTTLS. What is still on its way on the old socket stays in front: both share one handle. */
  moveTo(socket: Socket): void {
    this.#socket = socket
  }

  /** Octets that the kernel has not taken yet. */
  get unsentBytes(): number {
    return this.#bytes + this.#socket.writableLength
  }

  get isEmpty(): boolean {
    return this.#bytes === 0
  }

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#pieces.push(bytes)
    this.#bytes += bytes.length
  }

  /** @returns true where too much is unsent: a `drain` event of the socket will follow. */
  flush(): boolean {
    const pieces = this.#pieces
    const first = pieces[0]
    if (first !== undefined && this.#socket.writable) {
      this.#pieces = []
      if (pieces.length === 1) this.#write(first)
      else if (this.#bytes <= LIMITS.joinBytes) this.#write(Buffer.concat(pieces, this.#bytes))
      else {
        this.#socket.cork()
        for (const piece of pieces) this.#write(piece)
        this.#socket.uncork()
      }
      this.#bytes = 0
    }
    return this.#socket.writableNeedDrain && this.#socket.writableLength >= LIMITS.unsentBytes
  }

  #write(bytes: Uint8Array): void {
    if (this.#writesOpen++ === 0) this.stalledAtMs = this.#clock.nowMs() + LIMITS.stallMs
    this.#socket.write(bytes, this.#written)
  }

  /** Also called with an error; the socket's own `error` event tells that one. */
  readonly #written = (): void => {
    this.#writesOpen--
    this.stalledAtMs =
      this.#writesOpen === 0 ? Number.POSITIVE_INFINITY : this.#clock.nowMs() + LIMITS.stallMs
    if (this.#writesOpen === 0) this.#onTaken()
  }
}
