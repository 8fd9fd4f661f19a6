import { canonicalIp } from '../mail/ip.ts'
import type { HopPolicy } from '../ports/deliverer.ts'
import type { QueueItem, QueueRecipient } from '../ports/queue.ts'
import type { Resolver } from '../ports/resolver.ts'
import { findRoute, type Route, resolveHost } from './route.ts'
import type { QueueSettings } from './settings.ts'

/** Recipients of one message that go the same way. */
export interface Destination {
  /** The domain, or `smarthost`: what is counted against the limit per destination. */
  readonly key: string
  readonly recipients: readonly QueueRecipient[]
}

const SMARTHOST = 'smarthost'

/** The due recipients of an item by destination. */
export function groupRecipients(
  item: QueueItem,
  nowMs: number,
  settings: QueueSettings,
): readonly Destination[] {
  const groups = new Map<string, QueueRecipient[]>()
  for (const recipient of item.recipients) {
    if (recipient.state !== 'waiting' || recipient.nextAttemptAtMs > nowMs) continue
    const { domain } = recipient.address
    const key = settings.smarthost !== undefined && !settings.fixedRoutes.has(domain) ? SMARTHOST : domain
    groups.set(key, [...(groups.get(key) ?? []), recipient])
  }
  return [...groups].map(([key, recipients]) => ({ key, recipients }))
}

/** The hosts for a destination, and how to speak to them. */
export async function routeOf(
  destination: Destination,
  resolver: Resolver,
  settings: QueueSettings,
  chance: () => number,
): Promise<{ readonly route: Route; readonly policy: HopPolicy }> {
  const fixed = settings.fixedRoutes.get(destination.key)
  if (fixed !== undefined) return { route: { kind: 'hops', hops: fixed.hops }, policy: fixed.policy }
  const { smarthost } = settings
  if (destination.key === SMARTHOST && smarthost !== undefined) {
    const address = canonicalIp(smarthost.host)
    const route: Route =
      address === undefined
        ? await resolveHost(smarthost.host, resolver, { ...settings.route, port: smarthost.port })
        : { kind: 'hops', hops: [{ name: smarthost.host, address, port: smarthost.port }] }
    return { route, policy: smarthost.policy }
  }
  return {
    route: await findRoute(destination.key, resolver, settings.route, chance),
    policy: { tls: 'opportunistic' },
  }
}
