import type { AuthDns } from '../../mailauth/dns.ts'
import type { Evaluation, EvaluationFacts, SigningKey } from '../../ports/mail-auth.ts'
import type { Answer, MxRecord } from '../../ports/resolver.ts'

/*
 * What the main thread and a thread that authenticates mail say to each other. Both gather what they have to say in
 * one turn of their event loop and send it as one list. Numbers: a job's is given by the main thread; those of
 * questions and readings by the thread.
 */

/** A message's content: here as a whole, or to be read in pieces. */
export interface SentContent {
  readonly sizeBytes: number
  readonly whole: Uint8Array | undefined
}

export type Task =
  | {
      readonly kind: 'evaluate'
      readonly facts: EvaluationFacts
      readonly sealWith: SigningKey | undefined
    }
  | { readonly kind: 'sign'; readonly added: Uint8Array; readonly keys: readonly SigningKey[] }

/** `evaluate` gives an evaluation, `sign` the fields as text. */
export type TaskResult = Evaluation | string

export type LookupType = keyof AuthDns
export type LookupAnswer = Answer<string> | Answer<MxRecord>

export type ToThread =
  | {
      readonly kind: 'job'
      readonly job: number
      readonly task: Task
      readonly content: SentContent
      /** TXT records that will be asked for, as far as they are known already; by name. */
      readonly known: ReadonlyMap<string, LookupAnswer> | undefined
    }
  | { readonly kind: 'answer'; readonly ask: number; readonly answer: LookupAnswer }
  | { readonly kind: 'piece'; readonly reading: number; readonly octets: Uint8Array }
  | { readonly kind: 'end'; readonly reading: number }
  /** Its result is not wanted: what it still waits for does not come. */
  | { readonly kind: 'drop'; readonly job: number }
  | { readonly kind: 'ping' }

export type FromThread =
  | { readonly kind: 'done'; readonly job: number; readonly result: TaskResult }
  /** Our fault, never the message's. */
  | { readonly kind: 'failed'; readonly job: number; readonly cause: string }
  | {
      readonly kind: 'ask'
      readonly job: number
      readonly ask: number
      readonly type: LookupType
      readonly name: string
    }
  /** The content from its beginning, please: `piecesAhead` pieces, and one more for each `taken`. */
  | { readonly kind: 'read'; readonly job: number; readonly reading: number }
  | { readonly kind: 'taken'; readonly reading: number }
  /** The rest of this reading is not wanted. */
  | { readonly kind: 'left'; readonly reading: number }
  | { readonly kind: 'pong' }
