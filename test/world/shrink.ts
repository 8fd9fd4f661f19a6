import { makePlan, partsOf } from './plan.ts'
import type { Planted } from './planted.ts'
import type { Templates } from './template.ts'
import { runWorld } from './world.ts'

/**
 * Leaves out of a failing seed whatever it still fails without, one part after the other.
 * @returns the parts to leave out.
 */
export async function shrink(
  seed: number,
  templates: Templates,
  planted: Planted | undefined,
): Promise<ReadonlySet<string>> {
  const without = new Set<string>()
  for (const part of partsOf(makePlan(seed))) {
    without.add(part)
    const { broken } = await runWorld({ seed, templates, planted, without, isDeep: true })
    if (broken.length === 0) without.delete(part)
  }
  return without
}
