import { appendWorkloads } from './append.ts'
import { checkedWorkloads } from './checked.ts'
import { fsyncsWorkload } from './fsyncs.ts'
import { idleWorkloads } from './idle.ts'
import { ingestWorkloads } from './ingest.ts'
import { largeWorkload } from './large.ts'
import { loginsWorkload } from './logins.ts'
import { mailboxWorkload } from './mailbox.ts'
import { restWorkload } from './rest.ts'
import type { Workload } from './workload.ts'

/** In the order in which they are run. */
export const everyWorkload: readonly Workload[] = [
  restWorkload,
  ...ingestWorkloads,
  ...appendWorkloads,
  ...checkedWorkloads,
  fsyncsWorkload,
  mailboxWorkload,
  largeWorkload,
  loginsWorkload,
  ...idleWorkloads,
]

/** Those of these names, or whose names begin so where no workload has that name whole; all for none. */
export function workloadsNamed(names: readonly string[]): Workload[] {
  if (names.length === 0) return [...everyWorkload]
  const isWhole = (name: string) => everyWorkload.some((workload) => workload.name === name)
  return everyWorkload.filter((workload) =>
    names.some((name) => (isWhole(name) ? workload.name === name : workload.name.startsWith(name))),
  )
}
