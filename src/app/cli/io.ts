import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { askSecrets } from './secret.ts'

/** Where a command reads and writes. */
export interface Io {
  out(line: string): void
  err(line: string): void
  /** The first line of standard input, without its line end; undefined where there is none. */
  readLine(): Promise<string | undefined>
  /** All of standard input; undefined where it is longer than `maxBytes`. */
  readAll(maxBytes: number): Promise<Buffer | undefined>
  /** Asks on the terminal, one question after the other, without showing what is typed; undefined where there is no terminal. */
  askSecrets(questions: readonly string[]): Promise<readonly string[] | undefined>
}

/**
 * A line as a terminal may have it: control characters (escape sequences that move the cursor or set the
 * title) and those that turn the direction of writing around become visible.
 */
export function forTerminal(line: string): string {
  return line
    .replace(/\t/g, '    ')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replace(/[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`)
}

export function processIo(): Io {
  // `hikyaku queue list | head` closes the pipe early: that is no fault of anybody.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  return {
    out: (line) => void process.stdout.write(`${forTerminal(line)}\n`),
    err: (line) => void process.stderr.write(`${forTerminal(line)}\n`),
    readLine: () => firstLine(process.stdin),
    readAll: (maxBytes) => readAll(process.stdin, maxBytes),
    askSecrets: (questions) => askSecrets(questions),
  }
}

async function firstLine(input: Readable): Promise<string | undefined> {
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of lines) {
    lines.close()
    return line
  }
  return undefined
}

async function readAll(input: Readable, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of input) {
    size += (chunk as Buffer).length
    if (size > maxBytes) return undefined
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}
