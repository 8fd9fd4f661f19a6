import type { Job } from './job.ts'

/** Jobs that wait for a thread. Their owners take turns: who brings a thousand stands before nobody but himself. */
export class WaitingLine {
  /** In the order of their turns, each with its jobs in order of arrival; none is empty. */
  readonly #byOwner = new Map<string, Job[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Whose turn it is. */
  get first(): Job | undefined {
    const [jobs] = this.#byOwner.values()
    return jobs?.[0]
  }

  add(job: Job): void {
    const jobs = this.#byOwner.get(job.owner)
    if (jobs === undefined) this.#byOwner.set(job.owner, [job])
    else jobs.push(job)
    this.#size++
  }

  /** Takes `first` out; its owner's next one comes after one of each other owner. */
  takeFirst(): void {
    const [entry] = this.#byOwner
    if (entry === undefined) return
    const [owner, jobs] = entry
    jobs.shift()
    this.#size--
    this.#byOwner.delete(owner)
    if (jobs.length > 0) this.#byOwner.set(owner, jobs)
  }

  /** Takes out the newest of whoever has most. */
  takeExcess(): Job | undefined {
    let most: Job[] = []
    for (const jobs of this.#byOwner.values()) if (jobs.length > most.length) most = jobs
    const job = most.pop()
    if (job === undefined) return undefined
    this.#size--
    if (most.length === 0) this.#byOwner.delete(job.owner)
    return job
  }

  /** @returns whether it was there. */
  takeOut(job: Job): boolean {
    const jobs = this.#byOwner.get(job.owner) ?? []
    const at = jobs.indexOf(job)
    if (at < 0) return false
    jobs.splice(at, 1)
    this.#size--
    if (jobs.length === 0) this.#byOwner.delete(job.owner)
    return true
  }

  /** Takes out all whose time is over. */
  takeExpired(nowMs: number): readonly Job[] {
    const expired: Job[] = []
    for (const [owner, jobs] of this.#byOwner) {
      // In order of arrival, and all wait equally long.
      const left = jobs.findIndex(({ untilMs }) => untilMs > nowMs)
      const over = jobs.splice(0, left < 0 ? jobs.length : left)
      expired.push(...over)
      if (jobs.length === 0) this.#byOwner.delete(owner)
    }
    this.#size -= expired.length
    return expired
  }
}
