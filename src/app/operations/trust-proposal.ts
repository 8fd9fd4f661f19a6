import { proposeTrust } from '../../pipeline/policy/propose.ts'
import type { Held } from '../../ports/quarantine.ts'

/** For `quarantine show`: what an exception would be, before it is made. */
export function proposalLines(held: Held): readonly string[] {
  const proposal = proposeTrust(held)
  if (proposal.kind === 'none') return [`No exception would let the next one like it pass: ${proposal.why}.`]
  const { args, vouches, caution } = proposal
  return [
    `To let the next ones like it pass: hikyaku quarantine trust ${held.id}`,
    `  It is the same as: hikyaku trust add ${args.join(' ')}`,
    `  ${vouches}`,
    ...(caution === undefined ? [] : [`  ${caution}`]),
  ]
}
