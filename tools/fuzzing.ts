// One fuzz target, for a while: any exception is a bug of ours, and so is work that grows faster than its input.
import { type Dice, diceOf, nextInput, shrink } from './fuzz-input.ts'

/** What a file `fuzz/NAME.fuzz.ts` exports. */
export interface Target {
  readonly name: string
  readonly corpus: readonly (string | Uint8Array)[]
  /** Throws only on a real bug. */
  fuzz(input: Uint8Array): void
}

export interface Failure {
  readonly input: Uint8Array
  readonly why: string
}

export interface Run {
  readonly executions: number
  readonly failure?: Failure
}

interface Options {
  readonly seed: number
  readonly budgetMs: number
  /** Told before each execution, so that a run that never comes back leaves its input. */
  readonly before: (input: Uint8Array) => void
}

/** Checks a module and gives it as a target, or says what it lacks. */
export function targetOf(module: Readonly<Record<string, unknown>>): Target | string {
  const { name, corpus, fuzz } = module
  if (typeof name !== 'string' || typeof fuzz !== 'function') return 'exports no name or no fuzz function'
  if (!Array.isArray(corpus) || corpus.length === 0) return 'exports no corpus'
  return { name, corpus, fuzz: (input) => void fuzz(input) }
}

/** First the corpus as it is, then changed inputs until the time is over or something fails. */
export function runTarget(target: Target, { seed, budgetMs, before }: Options): Run {
  const dice = diceOf(seed)
  const corpus = target.corpus.map((item) => Buffer.from(item))
  const endMs = performance.now() + budgetMs
  let executions = 0
  const fails = (input: Buffer): string | undefined => {
    executions += 1
    before(input)
    return failureOf(target, input)
  }
  const report = (input: Buffer, why: string): Run => {
    const smaller = shrink(input, (candidate) => fails(candidate) !== undefined, 2000)
    return { executions, failure: { input: smaller, why: failureOf(target, smaller) ?? why } }
  }
  for (const input of corpus) {
    const why = fails(input)
    if (why !== undefined) return report(input, why)
  }
  while (performance.now() < endMs) {
    for (let left = 200; left > 0 && performance.now() < endMs; left -= 1) {
      const input = nextInput(corpus, dice)
      const why = fails(input)
      if (why !== undefined) return report(input, why)
    }
    const failure = watchGrowth(target, corpus, dice, before)
    if (failure !== undefined) return { executions, failure }
  }
  return { executions }
}

/** Runs one input; the reason of its failure, or undefined. */
export function failureOf(target: Target, input: Uint8Array): string | undefined {
  try {
    // A copy: what a parser writes into its input must not reach the next run.
    target.fuzz(Uint8Array.from(input))
    return undefined
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
}

// Twice the input may take three times as long: twice for the work, the rest for a cold cache and a busy machine.
// Quadratic work takes four times. Below a millisecond, noise rules.
const growth = { smallestBytes: 8 * 1024, doublings: 3, factor: 3, leastMs: 4, series: 4 }

/** A piece of an input repeated to 8, 16, 32 and 64 KiB: work that grows by more than the factor each time is not linear. */
function watchGrowth(
  target: Target,
  corpus: readonly Buffer[],
  dice: Dice,
  before: (input: Uint8Array) => void,
): Failure | undefined {
  const whole = nextInput(corpus, dice)
  const from = dice.below(whole.length)
  const piece = whole.subarray(from, from + 1 + dice.below(Math.min(64, whole.length - from)))
  if (piece.length === 0) return undefined
  const inputOf = (bytes: number): Buffer =>
    Buffer.concat([whole.subarray(0, from), Buffer.alloc(bytes, piece)])
  // A busy machine can make one series look like growth, hardly four in a row.
  let timesMs: readonly number[] = []
  for (let series = 0; series < growth.series; series += 1) {
    timesMs = measureGrowth(target, inputOf, before)
    if (timesMs.length <= growth.doublings || (timesMs.at(-1) ?? 0) < growth.leastMs) return undefined
  }
  const shown = timesMs.map((ms) => ms.toFixed(2)).join(', ')
  return {
    input: inputOf(growth.smallestBytes << growth.doublings),
    why: `work grows faster than the input: ${shown} ms, the input doubled each time`,
  }
}

/** The times of inputs that double, up to the first that is not slower by more than the factor. */
function measureGrowth(
  target: Target,
  inputOf: (bytes: number) => Buffer,
  before: (input: Uint8Array) => void,
): readonly number[] {
  const timesMs: number[] = []
  for (let step = 0; step <= growth.doublings; step += 1) {
    const input = inputOf(growth.smallestBytes << step)
    before(input)
    const previous = timesMs.at(-1)
    const last = quickestMs(target, input)
    if (previous !== undefined && last <= previous * growth.factor) return timesMs
    timesMs.push(last)
  }
  return timesMs
}

function quickestMs(target: Target, input: Buffer): number {
  let quickest = Number.POSITIVE_INFINITY
  for (let left = 3; left > 0; left -= 1) {
    const copy = Uint8Array.from(input)
    const startMs = performance.now()
    try {
      target.fuzz(copy)
    } catch {
      // The same exception would have been found, shrunk and told by the run itself.
    }
    quickest = Math.min(quickest, performance.now() - startMs)
  }
  return quickest
}
