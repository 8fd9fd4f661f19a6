import type { TraceFact } from '../mail/trace.ts'
import { foreignClaims } from '../mailauth/foreign-claims.ts'
import type { Intake, StagedBody, Stored } from '../ports/store.ts'

/** Stages the same content once more: a body is stored once. */
export function copyBody(intake: Intake, body: StagedBody): Promise<Stored<StagedBody>> {
  return stageWithout(intake, body, [])
}

/**
 * The content without the fields that claim to be ours (rfc8601 §5); the same body where there are none. The body given
 * is thrown away where another takes its place.
 */
export async function withoutClaims(
  intake: Intake,
  body: StagedBody,
  at: { readonly authservId: string; readonly note: (fact: TraceFact) => void },
): Promise<Stored<StagedBody>> {
  const claims = foreignClaims(body.header, at.authservId)
  if (claims.length === 0) return { ok: true, value: body }
  const staged = await stageWithout(intake, body, claims)
  if (!staged.ok) return staged
  body.discard()
  for (const name of new Set(claims.map(({ field }) => field))) {
    const count = claims.filter(({ field }) => field === name).length
    at.note({ kind: 'removed-field', name, count, why: 'only this server may speak in its own name' })
  }
  return staged
}

async function stageWithout(
  intake: Intake,
  body: StagedBody,
  ranges: readonly { readonly start: number; readonly end: number }[],
): Promise<Stored<StagedBody>> {
  const writer = intake.body(body.sizeBytes)
  try {
    let offset = 0
    for await (const piece of body.pieces()) {
      // The writer may keep what it is given, and the piece may be a view of what is read next.
      for (const kept of outside(piece, offset, ranges)) await writer.write(new Uint8Array(kept))
      offset += piece.length
    }
  } catch (error) {
    writer.abort()
    const cause = error instanceof Error ? error.message : String(error)
    return { ok: false, failure: { kind: 'io', cause: `the content could not be read again: ${cause}` } }
  }
  return writer.finish()
}

/** What of a piece that begins at `offset` lies in no range. Ranges are in order and don't overlap. */
function* outside(
  piece: Uint8Array,
  offset: number,
  ranges: readonly { readonly start: number; readonly end: number }[],
): Iterable<Uint8Array> {
  let at = 0
  for (const { start, end } of ranges) {
    const from = Math.max(start - offset, at)
    if (from >= piece.length) break
    if (from > at) yield piece.subarray(at, from)
    at = Math.max(at, Math.min(end - offset, piece.length))
  }
  if (at < piece.length) yield piece.subarray(at)
}
