import { type Operation, refused, said, textArg } from './operation.ts'
import { addEntry, addedLines } from './trust.ts'
import { addLine, proposalFor, stoppedOf } from './trust-proposal.ts'

/**
 * `quarantine trust ID`: the exception that would have let the message pass, as narrow as it allows. The message itself
 * stays where it is: it may be a forgery all the same.
 */
export const quarantineTrust: Operation = async (ports, args) => {
  const stopped = await stoppedOf(ports, args)
  if (typeof stopped === 'string') return refused(stopped)
  const { id, isHeld } = stopped
  const [why = `as proposed for the message ${id}`, until] = [textArg(args, 'why'), textArg(args, 'until')]
  const proposal = proposalFor(ports, stopped, { why, until })
  if (!proposal.ok) return refused(proposal.why)
  const { entry, vouches, caution } = proposal
  if (args.dryRun === true) return said(addLine(entry, { why, until }))
  const added = await addEntry(ports, entry)
  if (!added.ok) return refused(added.sentence)
  return said(
    ...addedLines(ports, added, `${vouches} All other checks stay.`),
    ...(caution === undefined ? [] : [caution]),
    '',
    isHeld
      ? `${id} itself stays in the quarantine. To deliver it: hikyaku quarantine release ${id}`
      : `${id} itself is not here; its sender may send it again.`,
    `To take the exception back: hikyaku trust remove ${added.entry.id}`,
  )
}
