import { CommandFailure } from './failure.ts'

/** Ended by Ctrl-C: as a shell tells it of a program that SIGINT ended. */
const EXIT_INTERRUPTED = 130
const SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const

/** The parts of a terminal that are used here. */
export interface SecretTerminal {
  readonly isTTY?: boolean | undefined
  setRawMode(raw: boolean): unknown
  on(event: 'data', listener: (chunk: Buffer) => void): unknown
  on(event: 'end', listener: () => void): unknown
  off(event: 'data' | 'end', listener: (chunk: Buffer) => void): unknown
  resume(): unknown
  pause(): unknown
}

/**
 * Asks one question after the other without showing what is typed. There is one reader for all of them and the
 * terminal does not echo from the first question to the last answer: in between, typing ahead would be shown.
 * @returns what was typed, or undefined where there is no terminal.
 * @throws CommandFailure at Ctrl-C or Ctrl-D.
 */
export async function askSecrets(
  questions: readonly string[],
  input: SecretTerminal = process.stdin,
  show: (text: string) => void = (text) => void process.stderr.write(text),
): Promise<readonly string[] | undefined> {
  if (input.isTTY !== true) return undefined
  const typed = new TypedLines()
  const restore = (): void => {
    input.setRawMode(false)
    show('\n')
  }
  // A signal ends the program as it would have, but not with a terminal that stays mute.
  const onSignal = (signal: NodeJS.Signals): void => {
    restore()
    for (const name of SIGNALS) process.off(name, onSignal)
    process.kill(process.pid, signal)
  }
  const onData = (chunk: Buffer): void => typed.push(chunk)
  const onEnd = (): void => typed.end()
  input.setRawMode(true)
  for (const name of SIGNALS) process.on(name, onSignal)
  input.on('data', onData)
  input.on('end', onEnd)
  input.resume()
  try {
    const answers: string[] = []
    for (const [index, question] of questions.entries()) {
      show(index === 0 ? question : `\n${question}`)
      const answer = await typed.next()
      if (answer === undefined) throw new CommandFailure('Nothing was changed.', EXIT_INTERRUPTED)
      answers.push(answer)
    }
    return answers
  } finally {
    input.off('data', onData)
    input.off('end', onEnd)
    for (const name of SIGNALS) process.off(name, onSignal)
    restore()
    input.pause()
  }
}

/** Keys as a raw terminal sends them, made into lines. */
class TypedLines {
  readonly #decoder = new TextDecoder()
  readonly #lines: (string | undefined)[] = []
  #typed: string[] = []
  #last = ''
  #waiting: ((line: string | undefined) => void) | undefined

  push(chunk: Buffer): void {
    for (const char of this.#decoder.decode(chunk, { stream: true })) this.#key(char)
  }

  /** The terminal is gone. */
  end(): void {
    this.#give(undefined)
  }

  /** The next whole line; undefined: given up. */
  next(): Promise<string | undefined> {
    if (this.#lines.length > 0) return Promise.resolve(this.#lines.shift())
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  #key(char: string): void {
    const isSecondOfPair = char === '\n' && this.#last === '\r'
    this.#last = char
    if (isSecondOfPair) return
    if (char === '\r' || char === '\n') this.#give(this.#typed.join(''))
    else if (char === '\u0003' || char === '\u0004') this.#give(undefined)
    else if (char === '\u007f' || char === '\b') this.#typed.pop()
    else if (char === '\u0015') this.#typed = []
    else this.#typed.push(char)
  }

  #give(line: string | undefined): void {
    this.#typed = []
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) this.#lines.push(line)
    else waiting(line)
  }
}
