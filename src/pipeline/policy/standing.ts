import { networkContains } from '../../mail/ip.ts'
import type { Origin } from '../origin.ts'
import type { PolicySettings } from './settings.ts'

/**
 * Whether a client's mail is judged. Only what other servers bring is: our own people have logged in, and the server in
 * front of an LMTP port has judged before us. `secondary`: a backup MX of ours, whose client is judged in its place.
 */
export type Standing = 'exempt' | 'judged' | 'secondary'

export function standingOf(
  { role, client }: Origin,
  { secondaries, exemptNetworks }: PolicySettings,
): Standing {
  if (role !== 'mx' || client === 'unix') return 'exempt'
  if (secondaries.some((network) => networkContains(network, client))) return 'secondary'
  return exemptNetworks.some((network) => networkContains(network, client)) ? 'exempt' : 'judged'
}
