import type { EnvelopeSender, Notify } from '../mail/envelope.ts'
import type { ReportAction } from '../mime/report-texts.ts'
import type { QueueRecipient } from '../ports/queue.ts'

/** rfc3461 §4.1: whether the sender wants to hear this of this recipient. */
export function wantsReport(
  sender: Pick<EnvelopeSender, 'reversePath'>,
  recipient: Pick<QueueRecipient, 'notify'>,
  action: ReportAction,
): boolean {
  // A report about a report would go in circles (rfc3461 §6.1).
  if (sender.reversePath === null || recipient.notify === 'NEVER') return false
  return isListed(recipient.notify, action)
}

/** Without NOTIFY: failures, and delays as a courtesy (rfc3461 §4.1 leaves them to us). */
function isListed(notify: Exclude<Notify, 'NEVER'> | undefined, action: ReportAction): boolean {
  switch (action) {
    case 'failed':
      return notify === undefined || notify.includes('FAILURE')
    case 'delayed':
      return notify === undefined || notify.includes('DELAY')
    case 'delivered':
    case 'relayed':
      return notify?.includes('SUCCESS') === true
  }
}
