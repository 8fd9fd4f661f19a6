// What the host elsewhere took.

import { readLetter } from './letter.ts'

/** What an address means there, by its domain: refused for good, or taken. */
export const refusing = 'refuse.test'
export const taking = 'elsewhere.test'

export class Deliveries {
  /** Recipient (a name of its own for each letter) → runs of the server in which it was taken. */
  readonly taken = new Map<string, number[]>()
  /** Taken, and seen to be gone from the queue afterwards: these must never come again. */
  readonly settled = new Set<string>()
  readonly problems: string[] = []
  /** Taken once more after a crash that hit between the 250 and its record. */
  doubles = 0
  /** Told before the answer goes out. */
  onTaken: (recipients: readonly string[], run: number) => void = () => {}

  /** What is about to be answered with 250, to a server of that run. */
  take(recipients: readonly string[], octets: Buffer, run: number): void {
    const found = readLetter(octets)
    if (found.kind !== 'letter') this.problems.push(`elsewhere: ${JSON.stringify(found)}`)
    this.onTaken(recipients, run)
    this.note(recipients, run)
  }

  note(recipients: readonly string[], run: number): void {
    for (const recipient of recipients) {
      const runs = this.taken.get(recipient) ?? []
      if (runs.includes(run)) this.problems.push(`elsewhere: ${recipient} came twice in run ${run}`)
      if (this.settled.has(recipient))
        this.problems.push(`elsewhere: ${recipient} came again in run ${run}, after it had left the queue`)
      if (runs.length > 0) this.doubles++
      this.taken.set(recipient, [...runs, run])
    }
  }
}
