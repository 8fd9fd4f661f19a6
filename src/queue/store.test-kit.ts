import { type Address, formatAddress, parseAddress } from '../mail/address.ts'
import type { AccountId, QueueId } from '../mail/ids.ts'
import { makeTraceId } from '../mail/ids.ts'
import { type Reply, reply } from '../mail/reply.ts'
import type { TraceEvent } from '../mail/trace.ts'
import type { Clock } from '../ports/clock.ts'
import type { Delivery, DeliveryJob } from '../ports/deliverer.ts'
import type { Directory, Resolution } from '../ports/directory.ts'
import type { QueueItem, QueueRecipient, QueueStore } from '../ports/queue.ts'
import type { Resolver } from '../ports/resolver.ts'
import type { AcceptMessage, Intake, StoreFailure } from '../ports/store.ts'
import { QueueRunner } from './runner.ts'
import type { QueueSettings } from './settings.ts'

/** Time that moves only when a test says so. */
export class TestClock implements Clock {
  nowMs = 1_700_000_000_000
  #monotonicMs = 0
  #timers: { readonly atMs: number; readonly callback: () => void }[] = []

  now(): number {
    return this.nowMs
  }

  zoneMinutes(): number {
    return 540
  }

  monotonic(): number {
    return this.#monotonicMs
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#monotonicMs + delayMs, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Lets time pass; whatever is due happens in its order, each with time to settle. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms
    await settled()
    for (;;) {
      const next = this.#timers.sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined || next.atMs > untilMs) break
      this.#timers.shift()
      this.#move(next.atMs)
      next.callback()
      await settled()
    }
    this.#move(untilMs)
  }

  #move(toMs: number): void {
    this.nowMs += toMs - this.#monotonicMs
    this.#monotonicMs = toMs
  }
}

/** Everything that can go on without time passing has gone on. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => void setImmediate(resolve))
}

/** A queue of arrays with the contract's rules: only what waits changes, a finished item is gone. */
export class MemoryQueue implements QueueStore {
  /** Items whose octets are not what was stored, and why. */
  readonly damaged = new Map<QueueId, string>()
  /** Items whose octets cannot be read now, though nothing is wrong with them. */
  readonly unreadable = new Set<QueueId>()
  readonly items = new Map<QueueId, { item: QueueItem; octets: Buffer }>()
  readonly dsns: AcceptMessage[] = []
  readonly traces: TraceEvent[] = []
  /** What the next calls of `record` fail with, in order. */
  readonly failures: StoreFailure[] = []
  /** Refuses a `record` with a DSN. */
  dsnFailure: StoreFailure | undefined
  records = 0
  readonly #listeners = new Set<() => void>()
  #last = 0

  add(
    item: Partial<QueueItem>,
    to: readonly (string | Partial<QueueRecipient>)[],
    octets = MESSAGE,
  ): QueueId {
    const id = ++this.#last as QueueId
    const recipients = to.map((one): QueueRecipient => {
      const given = typeof one === 'string' ? { address: address(one) } : one
      return { address: address('x@x.test'), state: 'waiting', attempts: 0, nextAttemptAtMs: 0, ...given }
    })
    const whole: QueueItem = {
      id,
      traceId: makeTraceId(id, new Uint8Array(10)),
      sender: { reversePath: address('me@example.test'), bodyType: '7BIT', smtputf8: false },
      sizeBytes: octets.length,
      arrivedAtMs: 1_700_000_000_000,
      recipients,
      ...item,
    }
    this.items.set(id, { item: whole, octets: Buffer.from(octets) })
    return id
  }

  async due({ nowMs, beyondMs, limit, busy }: Parameters<QueueStore['due']>[0]) {
    const far = beyondMs ?? Number.MAX_SAFE_INTEGER
    return [...this.items.values()]
      .map(({ item }) => item)
      .filter(({ id }) => !busy.has(id))
      .filter(({ recipients }) => recipients.some(({ nextAttemptAtMs: at }) => at <= nowMs || at > far))
      .slice(0, limit)
  }

  async nextDueAtMs() {
    const times = [...this.items.values()].flatMap(({ item }) =>
      item.recipients.map(({ nextAttemptAtMs }) => nextAttemptAtMs),
    )
    return times.length === 0 ? undefined : Math.min(...times)
  }

  async get(id: QueueId) {
    return this.items.get(id)?.item
  }

  async list() {
    return [...this.items.values()].map(({ item }) => item)
  }

  async *read(id: QueueId) {
    const why = this.damaged.get(id)
    if (why !== undefined) throw new Error(why)
    if (this.unreadable.has(id)) throw new Error('disk I/O error')
    const found = this.items.get(id)
    if (found === undefined) throw new Error(`queue item ${id} is gone`)
    yield found.octets
  }

  async damage(id: QueueId) {
    return this.damaged.get(id)
  }

  async readHeader(id: QueueId) {
    const why = this.damaged.get(id)
    if (why !== undefined) throw new Error(why)
    const found = this.items.get(id)
    if (found === undefined) throw new Error(`queue item ${id} is gone`)
    return found.octets.subarray(0, found.octets.indexOf('\r\n\r\n') + 4)
  }

  async record({ id, outcomes, trace, dsn }: Parameters<QueueStore['record']>[0]) {
    this.records++
    const failure = this.failures.shift() ?? (dsn === undefined ? undefined : this.dsnFailure)
    if (failure !== undefined) return { ok: false, failure } as const
    const found = this.items.get(id)
    if (found !== undefined) {
      const recipients = found.item.recipients
        .map((one) => ({ ...one, ...outcomes.find(({ address: at }) => same(at, one.address)) }))
        .filter(({ state }) => state === 'waiting')
      if (recipients.length === 0) this.items.delete(id)
      else this.items.set(id, { ...found, item: { ...found.item, recipients } })
    }
    this.traces.push(...trace)
    if (dsn !== undefined) this.dsns.push(dsn)
    for (const listener of this.#listeners) listener()
    return { ok: true, value: undefined } as const
  }

  onChange(listener: () => void) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

const same = (a: Address, b: Address): boolean => a.local === b.local && a.domain === b.domain

export const MESSAGE = Buffer.from('From: me@example.test\r\nSubject: hello\r\n\r\nbody\r\n')

export function address(text: string): Address {
  const parsed = parseAddress(text)
  if (parsed === undefined) throw new Error(`no address: ${text}`)
  return parsed
}

export const DEFERRED = reply(451, '4.7.1', 'greylisted, come back')
export const REFUSED = reply(550, '5.1.1', 'no such user')
export const TAKEN = reply(250, '2.0.0', 'kept')

export type Host = (job: DeliveryJob) => Delivery | Promise<Delivery>

/** The same answer to every recipient. */
export const says =
  (said: Reply, dsnOffered = false): Host =>
  ({ recipients }) => ({
    kind: 'answered',
    answers: recipients.map(({ address: to }) => ({ address: to, reply: said })),
    dsnOffered,
  })

/** A runner in a world of values: hosts are functions by domain, mail accounts are names. */
export class World {
  readonly clock = new TestClock()
  readonly queue = new MemoryQueue()
  readonly hosts = new Map<string, Host>()
  readonly jobs: DeliveryJob[] = []
  readonly logged: { readonly name: string; readonly fields: Readonly<Record<string, unknown>> }[] = []
  readonly accepted: AcceptMessage[] = []
  readonly contents = new Map<object, string>()
  settings: QueueSettings
  readonly runner: QueueRunner

  constructor(settings: Partial<QueueSettings> = {}) {
    this.settings = {
      hostname: 'mail.example.test',
      retry: { retryAfterMs: [60_000, 120_000], giveUpAfterMs: 1_000_000, tellDelayAfterMs: 300_000 },
      route: { hostname: 'mail.example.test', port: 25, ip: 'ipv4' },
      maxConnections: 20,
      fixedRoutes: new Map(),
      ...settings,
    }
    this.runner = new QueueRunner({
      queue: this.queue,
      intake: this.#intake(),
      directory: directory(),
      clock: this.clock,
      random: { bytes: (count) => new Uint8Array(count) },
      log: { event: (name, fields) => void this.logged.push({ name, fields }) },
      resolver: resolver(),
      deliverer: { deliver: (job) => this.#deliver(job) },
      settings: () => this.settings,
    })
  }

  /** Text of the DSN. */
  dsn(index = 0): string {
    return this.contents.get(this.queue.dsns[index]?.body.handle ?? {}) ?? ''
  }

  /** Addresses of each delivery so far. */
  get tried(): readonly string[] {
    return this.jobs.map(({ recipients }) => recipients.map((one) => formatAddress(one.address)).join(' '))
  }

  async #deliver(job: DeliveryJob): Promise<Delivery> {
    this.jobs.push(job)
    const host = this.hosts.get(job.hop.name.replace(/^mx\d?\./, ''))
    if (host === undefined) return { kind: 'no-contact', reply: reply(451, '4.4.1', 'refused') }
    return host(job)
  }

  #intake(): Intake {
    return {
      room: () => undefined,
      body: () => {
        const pieces: Uint8Array[] = []
        return {
          heldBytes: 0,
          write: (piece) => void pieces.push(piece),
          finish: async () => {
            const content = Buffer.concat(pieces)
            const handle = {}
            this.contents.set(handle, content.toString())
            const staged = {
              sizeBytes: content.length,
              header: content,
              handle,
              pieces: async function* () {
                yield content
              },
              discard: () => {},
            }
            return { ok: true, value: staged }
          },
          abort: () => {},
        }
      },
      accept: async (message) => {
        this.accepted.push(message)
        return { ok: true, value: [] }
      },
      trace: () => {},
    }
  }
}

function directory(): Directory {
  const me: Resolution = {
    kind: 'local',
    via: 'account',
    accounts: [{ account: 1 as AccountId, login: 'me@example.test', overQuota: false }],
    remote: [],
  }
  return {
    isOurDomain: (domain) => domain === 'example.test',
    resolve({ local, domain }) {
      if (domain !== 'example.test') return { kind: 'not-ours' }
      return local === 'me' ? me : { kind: 'no-such-user' }
    },
    mayUse: () => false,
    loginOf: () => 'me@example.test',
  }
}

/** Each domain has one MX host `mx.DOMAIN`; `two.test` has two. */
function resolver(): Resolver {
  const none = async () => ({ kind: 'no-data' }) as const
  return {
    mx: async (domain) => {
      if (domain === 'nowhere.test') return { kind: 'no-name' }
      const names = domain === 'two.test' ? ['mx1', 'mx2'] : ['mx']
      return {
        kind: 'found',
        records: names.map((name, i) => ({ preference: 10 * i, exchange: `${name}.${domain}` })),
        ttlSeconds: 60,
        authenticated: false,
      }
    },
    a: async () => ({ kind: 'found', records: ['192.0.2.1'], ttlSeconds: 60, authenticated: false }),
    aaaa: none,
    txt: none,
    ptr: none,
  }
}
