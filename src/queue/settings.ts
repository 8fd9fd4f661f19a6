import type { Hop, HopPolicy } from '../ports/deliverer.ts'
import type { RouteSettings } from './route.ts'
import type { RetrySettings } from './schedule.ts'

/** What the queue is told of the configuration; read anew for each attempt. */
export interface QueueSettings {
  readonly hostname: string
  readonly retry: RetrySettings
  readonly route: RouteSettings
  readonly maxConnections: number
  /** Everything goes through this host. */
  readonly smarthost?:
    | { readonly host: string; readonly port: number; readonly policy: HopPolicy }
    | undefined
  /** Domains with a way of their own: the test domain, which is ourselves. */
  readonly fixedRoutes: ReadonlyMap<string, { readonly hops: readonly Hop[]; readonly policy: HopPolicy }>
}
