import type { Rule } from '../rule.ts'
import { ACCOUNT_RULES } from './accounts.ts'
import { COUNTER_RULES } from './counters.ts'
import { ENTRY_RULES } from './entries.ts'
import { MAILBOX_COUNT_RULES, MAILBOX_RULES } from './mailboxes.ts'
import { MESSAGE_RULES } from './messages.ts'
import { QUARANTINE_RULES } from './quarantine.ts'
import { QUEUE_RULES } from './queue.ts'
import { REPORT_RULES } from './reports.ts'
import { VALUE_RULES } from './values.ts'

/** In the order in which they are repaired: rows first, then what is counted from them. */
export const RULES: readonly Rule[] = [
  ...VALUE_RULES,
  ...MAILBOX_RULES,
  ...ACCOUNT_RULES,
  ...ENTRY_RULES,
  ...QUEUE_RULES,
  ...QUARANTINE_RULES,
  ...REPORT_RULES,
  ...MESSAGE_RULES,
  ...MAILBOX_COUNT_RULES,
  ...COUNTER_RULES,
]
