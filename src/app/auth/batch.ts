import type { Transferable } from 'node:worker_threads'

/** Where lists of messages go: a worker, or the port to the thread that started it. */
export interface Post<Message> {
  postMessage(messages: readonly Message[], transfer: readonly Transferable[]): void
}

/** Sends what was said in one turn of the event loop as one list: waking the other side costs more than most messages. */
export class Batch<Message> {
  readonly #post: Post<Message>
  #messages: Message[] = []
  #transfer: Transferable[] = []

  constructor(post: Post<Message>) {
    this.#post = post
  }

  /** @param owned a buffer in the message that changes its owner: it must not be used here again. */
  say(message: Message, owned?: Uint8Array<ArrayBuffer>): void {
    if (this.#messages.push(message) === 1) setImmediate(() => this.#flush())
    if (owned !== undefined) this.#transfer.push(owned.buffer)
  }

  #flush(): void {
    const [messages, transfer] = [this.#messages, this.#transfer]
    this.#messages = []
    this.#transfer = []
    this.#post.postMessage(messages, transfer)
  }
}
