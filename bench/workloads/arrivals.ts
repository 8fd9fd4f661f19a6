// When mail is there: counted by IMAP on the mailboxes themselves, whatever the server in front has said.

import { setTimeout as sleep } from 'node:timers/promises'
import { login } from '../load/imap-login.ts'
import { ImapWire } from '../load/imap-wire.ts'
import { sharedNowMs } from '../load/smtp.ts'
import type { MailSystem } from '../systems/system.ts'

const pollMs = 20
/** A queue that drains slower than this is told as mail that did not arrive. */
const patienceMs = 60_000

/** One connection to each of the ten mailboxes. */
export class Arrivals {
  readonly #wires: readonly ImapWire[]
  #before = 0

  private constructor(wires: readonly ImapWire[]) {
    this.#wires = wires
  }

  /** Logs in everywhere and counts what is there. */
  static async open({ ports, many }: MailSystem): Promise<Arrivals> {
    const wires = await Promise.all(
      many.map(async (account) => {
        const wire = await ImapWire.open({ host: '127.0.0.1', port: ports.imap })
        await login(wire, account)
        return wire
      }),
    )
    const arrivals = new Arrivals(wires)
    arrivals.#before = await arrivals.#count()
    return arrivals
  }

  /** Waits until so many more are there than at `open`. Gives how many came, and when the last was seen. */
  async until(expected: number): Promise<{ readonly count: number; readonly atMs: number }> {
    const giveUpAt = sharedNowMs() + patienceMs
    for (;;) {
      const count = (await this.#count()) - this.#before
      const atMs = sharedNowMs()
      if (count >= expected || atMs > giveUpAt) return { count, atMs }
      await sleep(pollMs)
    }
  }

  close(): void {
    for (const wire of this.#wires) wire.close()
  }

  async #count(): Promise<number> {
    const counts = await Promise.all(
      this.#wires.map(async (wire) => {
        const { text } = await wire.must('STATUS INBOX (MESSAGES)')
        return Number(/\(MESSAGES (\d+)\)/.exec(text)?.[1] ?? Number.NaN)
      }),
    )
    const sum = counts.reduce((all, count) => all + count, 0)
    if (Number.isNaN(sum)) throw new Error('STATUS gave no count')
    return sum
  }
}
