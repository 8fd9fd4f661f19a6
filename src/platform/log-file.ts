import { closeSync, fstatSync, write as fsWrite, openSync, type Stats, statSync, writeSync } from 'node:fs'
import { LOG_LIMITS } from './limits.ts'
import { LineBuffer, type LogSink, type SinkLine } from './log-sink.ts'
import { errorCode, errorText } from './socket-events.ts'

export interface FileSinkOptions {
  /** A path (appended to, made with mode 0640), or 2 for standard error. */
  readonly to: string | 2
  readonly form: 'classic' | 'json'
  /** Takes a sentence when a rotated file can't be opened anew; once until it works again. */
  readonly onProblem?: ((sentence: string) => void) | undefined
}

/** How long a full pipe is left alone before it is tried again. */
const RETRY_MS = 100

/**
 * Lines into a file or to standard error, by asynchronous writes: a lone line leaves at once; what comes while it is
 * under way, and shortly after, leaves with the next, in one call: a busy server would else write for each message. A
 * file that was renamed or removed (logrotate) is opened anew within seconds.
 */
export class FileSink implements LogSink {
  readonly #options: FileSinkOptions
  readonly #buffer = new LineBuffer(LOG_LIMITS.bufferBytes)
  #fd: number | undefined
  #writing = false
  /** Lines are being gathered after a write. */
  #gathering: NodeJS.Timeout | undefined
  #checkAtMs = 0
  #problem = false
  /** The last write failed. */
  #failing = false
  #idle: PromiseWithResolvers<void> | undefined

  private constructor(options: FileSinkOptions) {
    this.#options = options
  }

  /** Throws where the file can't be opened: at start that is a sentence, not a lost log. */
  static open(options: FileSinkOptions): FileSink {
    const sink = new FileSink(options)
    sink.#open()
    return sink
  }

  write(line: SinkLine): void {
    this.#buffer.add(`${this.#options.form === 'json' ? line.json : line.classic}\n`)
    this.#flush()
  }

  reopen(): void {
    this.#checkAtMs = 0
  }

  close(): Promise<void> {
    if (!this.#writing && this.#buffer.isEmpty) {
      clearTimeout(this.#gathering)
      this.#shut()
      return Promise.resolve()
    }
    this.#idle ??= Promise.withResolvers<void>()
    if (this.#gathering !== undefined) this.#gathered()
    return this.#idle.promise.then(() => this.#shut())
  }

  /** Kept while nothing can be written: where they are told is this file, and the count would be lost with its line. */
  takeDropped(): number {
    return this.#failing ? 0 : this.#buffer.takeDropped()
  }

  /** For a process that is about to die: what waits is written at once. */
  flushSync(): void {
    if (this.#fd === undefined || this.#buffer.isEmpty) return
    try {
      writeSync(this.#fd, this.#buffer.takeAll())
    } catch (error) {
      // Dying without a place to say so; standard error was the last one.
      if (this.#options.to !== 2) process.stderr.write(`log: ${String(error)}\n`)
    }
  }

  #flush(): void {
    if (this.#writing || this.#gathering !== undefined || this.#buffer.isEmpty) return
    this.#followRotation()
    const bytes = Buffer.from(this.#buffer.takeAll())
    this.#writing = true
    this.#writeOut(bytes)
  }

  #writeOut(bytes: Buffer): void {
    const fd = this.#fd
    if (fd === undefined) {
      this.#lost(bytes)
      return
    }
    fsWrite(fd, bytes, (error, count) => {
      const rest = error === null ? bytes.subarray(count) : bytes
      if (error !== null && errorCode(error) === 'EAGAIN') {
        setTimeout(() => this.#writeOut(rest), RETRY_MS).unref()
        return
      }
      // A full disk or a closed pipe: these lines are lost, later ones get their own try.
      this.#failing = error !== null
      if (error !== null) this.#lost(rest)
      else if (rest.length > 0) this.#writeOut(rest)
      else this.#written()
    })
  }

  #lost(bytes: Buffer): void {
    this.#buffer.drop(bytes.toString('latin1').split('\n').length - 1)
    this.#written()
  }

  #written(): void {
    this.#writing = false
    if (this.#idle === undefined) this.#gathering = setTimeout(() => this.#gathered(), LOG_LIMITS.gatherMs)
    else this.#gathered()
  }

  #gathered(): void {
    clearTimeout(this.#gathering)
    this.#gathering = undefined
    this.#flush()
    if (this.#writing) return
    this.#idle?.resolve()
    this.#idle = undefined
  }

  #followRotation(): void {
    const nowMs = performance.now()
    if (this.#options.to === 2 || nowMs < this.#checkAtMs) return
    this.#checkAtMs = nowMs + LOG_LIMITS.rotationCheckMs
    const old = this.#fd
    try {
      if (old !== undefined && isSameFile(this.#options.to, fstatSync(old))) return
      this.#open()
      if (old !== undefined) closeSync(old)
      this.#problem = false
    } catch (error) {
      // The folder may be gone for a moment, or closed to the user we became: the old file goes on taking lines.
      this.#fd = old
      const sentence = `The log ${this.#options.to} can't be opened after its rotation: ${errorText(error)}.`
      if (!this.#problem) this.#options.onProblem?.(sentence)
      this.#problem = true
    }
  }

  #open(): void {
    const { to } = this.#options
    this.#fd = to === 2 ? 2 : openSync(to, 'a', 0o640)
    this.#checkAtMs = performance.now() + LOG_LIMITS.rotationCheckMs
  }

  #shut(): void {
    if (this.#fd !== undefined && this.#fd !== 2) closeSync(this.#fd)
    this.#fd = undefined
  }
}

function isSameFile(path: string, open: Stats): boolean {
  const now = statSync(path, { throwIfNoEntry: false })
  return now !== undefined && now.ino === open.ino && now.dev === open.dev
}
