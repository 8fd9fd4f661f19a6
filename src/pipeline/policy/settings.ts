import type { Network } from '../../mail/ip.ts'

/** What the owner has chosen for mail from other servers (`[policy]`). */
export interface PolicySettings {
  /** Our name in Authentication-Results (rfc8601 §2.5). */
  readonly authservId: string
  /**
   * A message that fails the DMARC policy `reject`: `evidence` refuses it where more than the policy speaks against it
   * (rfc9989 §7.4) and holds it otherwise, `always` refuses it, `hold` never does.
   */
  readonly reject: 'evidence' | 'always' | 'hold'
  /** Refuses what breaks the counts of rfc5322 §3.6. */
  readonly requiredHeaders: boolean
  /** One From field with addresses of several domains. */
  readonly multiValueFrom: 'refuse' | 'allow'
  /** Clients whose mail is not judged at all. */
  readonly exemptNetworks: readonly Network[]
  /** Servers of ours that take our mail while we are away (backup MX). */
  readonly secondaries: readonly Network[]
  readonly receivedSpf: boolean
  /** Holds what fails the DMARC policy `quarantine`; otherwise it is delivered, and its fields say so. */
  readonly holdQuarantine: boolean
}
