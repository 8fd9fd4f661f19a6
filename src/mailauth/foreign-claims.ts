import { Bug } from '../mail/assert.ts'

/** A field of a received message that pretends to be ours; offsets count from the start of the header block. */
export interface ForeignClaim {
  readonly field: string
  readonly start: number
  readonly end: number
}

/**
 * The Authentication-Results and Received-SPF fields that carry our authserv-id, or could be read so: they are
 * taken out of the message (rfc8601 §5). In order, never overlapping.
 */
export function foreignClaims(_header: Uint8Array, _authservId: string): ForeignClaim[] {
  throw new Bug('not there yet')
}
