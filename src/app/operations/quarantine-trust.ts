import { proposeTrust } from '../../pipeline/policy/propose.ts'
import { type Operation, refused, textArg } from './operation.ts'
import { heldOf, notHeld } from './quarantine.ts'
import { trustAdd } from './trust.ts'

/**
 * `quarantine trust ID`: the exception that would have let the message pass, as narrow as it allows. The message itself
 * stays held: it may be a forgery all the same.
 */
export const quarantineTrust: Operation = async (ports, args, progress) => {
  const held = await heldOf(ports, args)
  if (held === undefined) return refused(notHeld(args))
  const proposal = proposeTrust(held)
  if (proposal.kind === 'none') return refused(`No exception helps ${held.id}: ${proposal.why}.`)
  const { key, list, host, caution } = proposal
  const why = textArg(args, 'why') ?? `proposed by the held message ${held.id}`
  const added = await trustAdd(
    ports,
    { [key.kind]: key.domain, list, host, why, until: textArg(args, 'until') },
    progress,
  )
  if (!added.ok) return added
  return {
    ok: true,
    lines: [
      ...added.lines,
      ...(caution === undefined ? [] : [caution]),
      `${held.id} itself stays in the quarantine: \`hikyaku quarantine release ${held.id}\` delivers it.`,
    ],
  }
}
