import { describe } from 'node:test'
import { accountsContract } from './contract/accounts.test-kit.ts'
import type { Implementation } from './contract/bench.test-kit.ts'
import { deliveryContract } from './contract/delivery.test-kit.ts'
import { flagsContract } from './contract/flags.test-kit.ts'
import { mailboxesContract } from './contract/mailboxes.test-kit.ts'
import { quarantineContract } from './contract/quarantine.test-kit.ts'
import { queueContract } from './contract/queue.test-kit.ts'
import { reportsContract } from './contract/reports.test-kit.ts'
import { searchContract } from './contract/search.test-kit.ts'
import { tracesContract } from './contract/traces.test-kit.ts'
import { viewsContract } from './contract/views.test-kit.ts'

/** The store contract of `ports/`, written once, run on every implementation. */
export function storeContract(implementation: Implementation): void {
  describe(`store contract: ${implementation.name}`, { concurrency: 4 }, () => {
    deliveryContract(implementation)
    mailboxesContract(implementation)
    flagsContract(implementation)
    viewsContract(implementation)
    searchContract(implementation)
    queueContract(implementation)
    quarantineContract(implementation)
    accountsContract(implementation)
    tracesContract(implementation)
    reportsContract(implementation)
  })
}
