import type { ScramHash } from './password-hash.ts'

/** What the session must do next; `server.ts` tells how. */
export type ServerStep =
  | { readonly kind: 'challenge'; readonly bytes: Uint8Array }
  | { readonly kind: 'ask-password'; readonly login: string; readonly password: string }
  | { readonly kind: 'ask-scram'; readonly login: string; readonly hash: ScramHash }
  | { readonly kind: 'done'; readonly ok: true; readonly login: string }
  | {
      readonly kind: 'done'
      readonly ok: false
      /** `binding`: the channel binding does not fit, or PLUS was hidden from the client: somebody is between. */
      readonly why: 'malformed' | 'refused' | 'binding'
      /** For the log, without secrets. */
      readonly cause: string
    }
