import type { ArcFinding } from '../mail/authentication.ts'
import { Bug } from '../mail/assert.ts'

/** What mailauth's DkimVerifier (strict) holds of a chain once the message went through it: its property `arc`. */
export interface ArcRead {
  readonly chain: false | readonly object[]
  readonly lastEntry?: object | undefined
  readonly error?: unknown
}

/** How mailauth asks the DNS; rejects with `code` ENOTFOUND, ENODATA or another. */
export type AskDns = (name: string, type: string) => Promise<unknown>

/** Validates a chain (rfc8617 §5.2). Never rejects: what could not be found out is a failure with its `why`. */
export async function validateArc(_read: ArcRead, _ask: AskDns): Promise<ArcFinding> {
  throw new Bug('not there yet')
}
