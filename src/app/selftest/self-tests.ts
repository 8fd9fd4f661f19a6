import type { EnvelopeSender } from '../../mail/envelope.ts'
import type { PipelinePorts } from '../../pipeline/ports.ts'
import type { Random } from '../../ports/random.ts'
import { judgedOnly } from './judged-only.ts'
import { SELF_TEST_LIMITS as LIMITS } from './limits.ts'
import { SelfTestRun } from './run.ts'

/** rfc6761 §6.2: names under `test` are nobody's. */
const ROOT = '.selftest.hikyaku.test'

/** The self-tests that are under way. What belongs to none of them takes its usual way. */
export class SelfTests {
  readonly #runs = new Map<string, SelfTestRun>()

  /** undefined: too many are under way. */
  begin(random: Random): SelfTestRun | undefined {
    if (this.#runs.size >= LIMITS.runs) return undefined
    const run = new SelfTestRun(`${secret(random)}${ROOT}`)
    this.#runs.set(run.base, run)
    return run
  }

  /** Its names are nobody's from now on. */
  end(run: SelfTestRun): void {
    this.#runs.delete(run.base)
  }

  /** The run that has this name. @param name canonical */
  runOf(name: string): SelfTestRun | undefined {
    // What strangers' mail names comes by here too: nearly all of it leaves at once.
    if (this.#runs.size === 0 || !name.endsWith(ROOT)) return undefined
    const base = name.slice(name.lastIndexOf('.', name.length - ROOT.length - 1) + 1)
    return this.#runs.get(base)
  }

  /** The pipeline for messages of a run: known by its envelope sender, which holds the secret. */
  pipelineFor(pipeline: PipelinePorts, { reversePath }: EnvelopeSender): PipelinePorts {
    const run = reversePath === null ? undefined : this.runOf(reversePath.domain)
    return run === undefined ? pipeline : judgedOnly(pipeline, run)
  }
}

/** A label that nobody guesses. */
export function secret(random: Random): string {
  return Buffer.from(random.bytes(LIMITS.nameBytes)).toString('hex')
}
