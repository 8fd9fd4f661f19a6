/**
 * `\Recent` (rfc3501 §2.3.2) lives in memory: the first read-write session that is told of a message has it as
 * recent, no later one. For each mailbox the first UID that nobody has been told of; mailboxes without news have
 * no entry, so that this is as large as the mailboxes with unread arrivals since the start.
 */
export class RecentUids {
  readonly #first = new Map<number, number>()

  arrived(mailbox: number, uid: number): void {
    if (!this.#first.has(mailbox)) this.#first.set(mailbox, uid)
  }

  /** The first UID that no session has been told of; undefined where all have been. */
  firstOf(mailbox: number): number | undefined {
    return this.#first.get(mailbox)
  }

  /** A read-write session has been told of all UIDs below `next`: gives the first that was news, if any. */
  claim(mailbox: number, next: number): number | undefined {
    const first = this.#first.get(mailbox)
    if (first === undefined || first >= next) return undefined
    this.#first.delete(mailbox)
    return first
  }

  forget(mailbox: number): void {
    this.#first.delete(mailbox)
  }
}
