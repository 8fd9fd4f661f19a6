/** The numbers of the self-test, each with its reason. */
export const SELF_TEST_LIMITS = {
  /** Runs at once: one is an operator's, a few more those of a watching program. */
  runs: 4,
  /** For one message over loopback, `smtp.greeting_delay` not counted: what takes longer is an answer of its own. */
  messageMs: 60_000,
  /** Octets of chance in the names of a run: nobody who writes to it has guessed them. */
  nameBytes: 10,
  /** Domains of ours whose own policy is looked up: more lines hide the table. */
  ownDomains: 10,
  /** For that: the table does not wait for a dead DNS. */
  ownPolicyMs: 5_000,
} as const
