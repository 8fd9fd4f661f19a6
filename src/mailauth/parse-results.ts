import { Bug } from '../mail/assert.ts'

/** One result of an Authentication-Results field, in its own words, lower case but for values. */
export interface ReadResult {
  readonly method: string
  readonly result: string
  readonly reason?: string | undefined
  readonly properties: readonly ReadProperty[]
}

/** `smtp.mailfrom=example.org`: kind of property, property, value without its quotes. */
export interface ReadProperty {
  readonly type: string
  readonly name: string
  readonly value: string
}

export interface ReadResults {
  readonly authservId: string
  /** Empty where the field says `none`. */
  readonly results: readonly ReadResult[]
}

/**
 * Reads the value of an Authentication-Results field, or what an ARC sealer said (`ArcFinding.said`).
 * @returns undefined where it breaks the grammar of rfc8601 §2.2 or a limit.
 */
export function parseResults(_value: string): ReadResults | undefined {
  throw new Bug('not there yet')
}
