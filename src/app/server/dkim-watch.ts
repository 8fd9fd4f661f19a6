import { isPublished, publishedGeneration } from '../../pki/dkim-published.ts'
import { waitingOf } from '../../pki/dkim-rotation.ts'
import type { OperationPorts } from '../operations/operation.ts'

type Ports = Pick<OperationPorts, 'dkim' | 'resolver'>

/**
 * Looks in the DNS for the records of keys that wait, and lets them sign once they have been seen for long enough.
 * Only domains that have such keys are asked for. Never rejects for what the DNS or a file holds.
 */
export async function watchDkim(ports: Ports): Promise<void> {
  for (const domain of ports.dkim.domains) await lookForWaiting(ports, domain)
}

async function lookForWaiting({ dkim, resolver }: Ports, domain: string): Promise<void> {
  // A domain that never sent has no keys yet: they are made when it does.
  const generations = await dkim.present(domain)
  const waiting = waitingOf(generations)
  if (waiting === undefined) return
  const published = await publishedGeneration(resolver, domain, waiting)
  await dkim.noteLook(domain, waiting.name, isPublished(published))
}
