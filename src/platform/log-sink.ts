/** Where lines go. None of these ever blocks or throws: what can't be written is dropped and counted. */
export interface LogSink {
  write(line: SinkLine): void
  /** After a reload or SIGHUP: opens again what was rotated away. */
  reopen(): void
  /** Resolves when everything accepted so far is written or given up. */
  close(): Promise<void>
  /** Lines dropped since the last call. */
  takeDropped(): number
}

/** A line for whoever takes it; each sink takes the form that it needs. */
export interface SinkLine {
  /** Complete, without line end. */
  readonly classic: string
  readonly json: string
  /** Without time and host. */
  readonly bare: string
  readonly facility: 'mail' | 'imap' | 'auth' | 'daemon'
  readonly level: 'error' | 'warning' | 'notice' | 'info' | 'debug'
}

/** Lines that wait for a slow destination: bounded in octets, drops are counted. */
export class LineBuffer {
  readonly #maxBytes: number
  #lines: string[] = []
  #bytes = 0
  #dropped = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0
  }

  add(line: string): void {
    const bytes = Buffer.byteLength(line)
    if (this.#bytes + bytes > this.#maxBytes) {
      this.#dropped++
      return
    }
    this.#lines.push(line)
    this.#bytes += bytes
  }

  /** Counts lines that were taken and could not be written. */
  drop(lines: number): void {
    this.#dropped += lines
  }

  /** Everything at once, to be written in one go. */
  takeAll(): string {
    const text = this.#lines.join('')
    this.#lines = []
    this.#bytes = 0
    return text
  }

  takeDropped(): number {
    const dropped = this.#dropped
    this.#dropped = 0
    return dropped
  }
}
