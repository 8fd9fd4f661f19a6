import { canonicalIp } from '../mail/ip.ts'
import { reply } from '../mail/reply.ts'
import type { HopPolicy } from '../ports/deliverer.ts'
import type { QueueItem, QueueRecipient } from '../ports/queue.ts'
import type { Resolver } from '../ports/resolver.ts'
import { findRoute, type Route, resolveHost } from './route.ts'
import { horizonMs, isDue } from './schedule.ts'
import type { QueueSettings } from './settings.ts'

/** Recipients of one message that go the same way. */
export interface Destination {
  /** The domain, or `smarthost`: what is counted against the limit per destination. */
  readonly key: string
  readonly via: 'mx' | 'fixed' | 'smarthost'
  readonly recipients: readonly QueueRecipient[]
}

/** The due recipients of an item by destination. */
export function groupRecipients(
  item: QueueItem,
  nowMs: number,
  settings: QueueSettings,
): readonly Destination[] {
  const horizon = horizonMs(settings.retry)
  const groups = new Map<string, QueueRecipient[]>()
  for (const recipient of item.recipients) {
    if (recipient.state !== 'waiting' || !isDue(recipient.nextAttemptAtMs, nowMs, horizon)) continue
    const key = keyOf(recipient.address.domain, settings)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [recipient])
    else group.push(recipient)
  }
  return [...groups].map(([key, recipients]) => ({ key, via: viaOf(key, settings), recipients }))
}

/** No domain: it has a character that none can have. */
const SMARTHOST = '(smarthost)'

function keyOf(domain: string, settings: QueueSettings): string {
  return settings.smarthost !== undefined && !settings.fixedRoutes.has(domain) ? SMARTHOST : domain
}

function viaOf(key: string, settings: QueueSettings): Destination['via'] {
  if (key === SMARTHOST) return 'smarthost'
  return settings.fixedRoutes.has(key) ? 'fixed' : 'mx'
}

export interface Way {
  readonly route: Route
  readonly policy: HopPolicy
}

/** The hosts for a destination, and how to speak to them. The settings are those that it was grouped by. */
export async function routeOf(
  { key, via }: Destination,
  resolver: Resolver,
  settings: QueueSettings,
  chance: () => number,
): Promise<Way> {
  const fixed = settings.fixedRoutes.get(key)
  if (via === 'fixed' && fixed !== undefined)
    return { route: { kind: 'hops', hops: fixed.hops }, policy: fixed.policy }
  const { smarthost } = settings
  if (via === 'smarthost' && smarthost !== undefined) {
    const { host, port, policy } = smarthost
    const address = canonicalIp(host)
    const route: Route =
      address === undefined
        ? await resolveHost(host, resolver, { ...settings.route, port })
        : { kind: 'hops', hops: [{ name: host, address, port }] }
    return { route, policy }
  }
  if (via !== 'mx') return { route: WAY_GONE, policy: { tls: 'opportunistic' } }
  return {
    route: await findRoute(key, resolver, settings.route, chance),
    policy: { tls: 'opportunistic' },
  }
}

const WAY_GONE: Route = {
  kind: 'later',
  reply: reply(451, '4.3.5', 'The way that this mail was to take was just changed'),
}
