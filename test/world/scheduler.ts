/** What dies together: a server between two starts, a client, the world itself. */
export class Life {
  readonly name: string
  alive = true
  /** Immediates of one process run in their order. */
  lastImmediateMs = 0

  constructor(name: string) {
    this.name = name
  }
}

interface Event {
  readonly atMs: number
  readonly order: number
  readonly life: Life
  run: (() => void) | undefined
}

/** A timer as `setTimeout` gives it. */
export interface Handle {
  readonly event: Event
  cancel(): void
}

/** Taken before the world puts its own in their place. */
const realImmediate = setImmediate

/**
 * The world's time. Whatever is to happen is an event with a moment and a life; between two events all promises
 * settle. What an event starts belongs to the same life, so that a crash takes all of it away.
 */
export class Scheduler {
  nowMs = 0
  steps = 0
  current: Life
  readonly #heap: Event[] = []
  #order = 0
  readonly #jitter: () => number
  /** What was thrown where nobody catches. */
  fault: unknown

  constructor(life: Life, jitter: () => number) {
    this.current = life
    this.#jitter = jitter
  }

  after(delayMs: number, run: () => void, life: Life = this.current): Handle {
    const event: Event = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, life, run }
    this.#push(event)
    return {
      event,
      cancel: () => {
        event.run = undefined
      },
    }
  }

  /** As `setImmediate`: in the order of asking within one process, mixed with what happens to others. */
  immediate(run: () => void): Handle {
    const life = this.current
    life.lastImmediateMs = Math.max(life.lastImmediateMs, this.nowMs + this.#jitter() * 0.05)
    return this.after(life.lastImmediateMs - this.nowMs, run, life)
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, resolve))
  }

  /** Events that still wait, of lives that are alive; the world's own do not count. */
  waiting(life: Life): number {
    return this.#heap.filter((event) => event.run !== undefined && event.life === life).length
  }

  /** Lets things happen until `done`, or nothing is left to happen, or a bound is reached. */
  async run(until: {
    done(): boolean
    readonly maxSteps: number
    readonly maxMs: number
  }): Promise<'done' | 'idle' | 'steps' | 'time'> {
    for (;;) {
      await new Promise<void>((resolve) => void realImmediate(resolve))
      if (this.fault !== undefined || until.done()) return 'done'
      const event = this.#pop()
      if (event === undefined) return 'idle'
      const { run, life } = event
      if (run === undefined || !life.alive) continue
      if (event.atMs > until.maxMs) {
        this.#push(event)
        return 'time'
      }
      if (++this.steps > until.maxSteps) return 'steps'
      if (event.atMs > this.nowMs) this.nowMs = event.atMs
      event.run = undefined
      this.current = life
      try {
        run()
      } catch (error) {
        // A process that died in the midst of its work goes down with an exception of ours.
        if (life.alive) this.fault ??= error
      }
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Event
      if (!isBefore(event, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++
      if (!isBefore(heap[child] as Event, last)) break
      heap[at] = heap[child] as Event
      at = child
    }
    heap[at] = last
    return first
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
