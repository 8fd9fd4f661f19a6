import type { ScramKeys } from '../ports/accounts.ts'

/** What the hashing threads are asked. */
export type HasherTask =
  | { readonly kind: 'argon2id'; readonly password: string; readonly salt: Uint8Array }
  | { readonly kind: 'match'; readonly phcs: readonly string[]; readonly password: string }
  | {
      readonly kind: 'scram'
      readonly password: string
      readonly how: Pick<ScramKeys, 'hash' | 'salt' | 'iterations'>
    }

export type HasherResult = string | number | undefined | ScramKeys
