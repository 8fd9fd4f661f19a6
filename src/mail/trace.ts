import type { Evidence } from './authentication.ts'
import type { Reply } from './reply.ts'

/**
 * One thing that happened to a message, in the order of happening. The log line, `hikyaku trace` and the
 * trace fields of the message are views of these. Texts are for people and come decoded; a secret is never
 * part of one.
 */
export type TraceEvent = { readonly atMs: number } & TraceFact

export type TraceFact =
  | {
      readonly kind: 'connected'
      readonly listener: string
      readonly client: string
      readonly port?: number | undefined
      /** True where a PROXY header told the address. */
      readonly proxied?: boolean | undefined
    }
  | { readonly kind: 'helo'; readonly name: string; readonly extended: boolean }
  | { readonly kind: 'tls'; readonly version: string; readonly cipher: string }
  | { readonly kind: 'authenticated'; readonly login: string; readonly mechanism: string }
  | { readonly kind: 'trusted-network'; readonly network: string }
  | { readonly kind: 'sender'; readonly reversePath: string; readonly sizeBytes?: number | undefined }
  | {
      readonly kind: 'recipient'
      readonly address: string
      /** What the address turned out to be. */
      readonly as: 'account' | 'alias' | 'catch-all' | 'remote' | 'test' | 'unknown' | 'refused'
      readonly to?: readonly string[] | undefined
      readonly reply?: Reply | undefined
    }
  | {
      readonly kind: 'received'
      readonly sizeBytes: number
      readonly messageId?: string | undefined
      readonly subject?: string | undefined
      readonly from?: string | undefined
      /** The identifier of its one List-Id field. */
      readonly list?: string | undefined
    }
  | { readonly kind: 'leniency'; readonly what: string }
  | { readonly kind: 'added-field'; readonly name: string }
  | {
      readonly kind: 'check'
      /** `loop`, `from-owner`, later `spf`, `dkim`, `dmarc`, a filter's name. */
      readonly name: string
      readonly result: string
      readonly why?: string | undefined
    }
  | {
      readonly kind: 'decision'
      readonly action: 'accept' | 'refuse' | 'defer' | 'hold' | 'discard'
      readonly rule: string
      readonly reply?: Reply | undefined
      /** What the rule stands on in this case, for people. */
      readonly reasons?: readonly Reason[] | undefined
    }
  /** What SPF, DKIM, ARC and DMARC found, with the answers of the DNS. */
  | { readonly kind: 'authentication'; readonly evidence: Evidence }
  /** The address that was checked is that of the client of a server of ours, from that server's Received field. */
  | {
      readonly kind: 'passed-on'
      readonly by: string
      readonly client: string
      readonly helo?: string | undefined
    }
  /** An exception let it pass the DMARC policy: what it hangs on, as `hikyaku trust list` shows it. */
  | {
      readonly kind: 'trusted'
      readonly entry: number
      readonly key: string
      readonly why?: string | undefined
    }
  | { readonly kind: 'removed-field'; readonly name: string; readonly count: number; readonly why: string }
  | { readonly kind: 'signed'; readonly domain: string; readonly selectors: readonly string[] }
  | { readonly kind: 'sealed'; readonly domain: string; readonly selector: string }
  | { readonly kind: 'quarantined'; readonly untilMs: number; readonly recipients: readonly string[] }
  | { readonly kind: 'released' | 'deleted'; readonly by: string }
  | { readonly kind: 'expired'; readonly why: 'age' | 'room' }
  | { readonly kind: 'stored'; readonly account: string; readonly mailbox: string; readonly uid: number }
  | { readonly kind: 'queued'; readonly recipients: readonly string[]; readonly nextAttemptAtMs: number }
  | {
      readonly kind: 'attempt'
      readonly recipients: readonly string[]
      readonly host?: string | undefined
      readonly address?: string | undefined
      readonly tls?: string | undefined
      readonly outcome: 'delivered' | 'deferred' | 'failed'
      readonly reply?: Reply | undefined
      readonly nextAttemptAtMs?: number | undefined
    }
  | {
      readonly kind: 'dsn'
      readonly action: 'failed' | 'delayed' | 'delivered' | 'relayed'
      readonly to: string
      readonly traceId: string
    }
  | { readonly kind: 'cancelled'; readonly by: string; readonly recipients: readonly string[] }
  | { readonly kind: 'retry-asked'; readonly by: string }
  | { readonly kind: 'held'; readonly why: string }
  | { readonly kind: 'appended'; readonly login: string; readonly mailbox: string }

/** Why something was decided: a rule's name (`dmarc`, `dmarc-list`, later a filter's) and a sentence for people. */
export interface Reason {
  readonly rule: string
  readonly text: string
}
