import { addressKey } from '../mail/address.ts'
import type { Evidence } from '../mail/authentication.ts'
import type { AccountId, TraceId } from '../mail/ids.ts'
import { parseNetwork } from '../mail/ip.ts'
import type { TraceEvent } from '../mail/trace.ts'
import type { Directory, Resolution } from '../ports/directory.ts'
import type { AcceptMessage, StagedBody, StoreFailure } from '../ports/store.ts'
import type { Origin } from './origin.ts'
import type { PolicySettings } from './policy/settings.ts'
import type { PipelinePorts, PipelineSettings } from './ports.ts'

/** A store of arrays and a directory of a few names, for tests of the pipeline and of what stands on it. */
export interface Kit {
  readonly ports: PipelinePorts
  readonly accepted: (AcceptMessage & { readonly content: string })[]
  readonly traces: { readonly id: TraceId; readonly events: readonly TraceEvent[] }[]
  readonly logged: { readonly name: string; readonly fields: Readonly<Record<string, unknown>> }[]
  /** The next `accept` fails so. */
  failWith: StoreFailure | undefined
  /** What MAIL is refused with. */
  noRoom: StoreFailure | undefined
  /** What the next evaluations find. */
  evidence: Evidence
}

/** Nothing was found out: no SPF, no signature, no chain, no policy. */
export const NO_EVIDENCE: Evidence = {
  spf: { result: 'none', domain: '', identity: 'mailfrom' },
  dkim: [],
  arc: { result: 'none', sealers: [] },
  dmarc: { result: 'none', domain: '', aligned: {} },
  dns: [],
  limits: [],
}

/** The defaults, but that nobody is judged. */
export const EXEMPT: PolicySettings = {
  authservId: 'mail.example.test',
  reject: 'evidence',
  requiredHeaders: true,
  multiValueFrom: 'refuse',
  exemptNetworks: ['0.0.0.0/0', '::/0'].flatMap((text) => parseNetwork(text) ?? []),
  secondaries: [],
  receivedSpf: false,
  holdQuarantine: true,
}

export const ACCOUNT = 1 as AccountId

export function directory(): Directory {
  const local = (
    login: string,
    via: 'account' | 'alias' | 'catch-all' = 'account',
    more: object = {},
  ): Resolution => ({
    kind: 'local',
    via,
    accounts: [
      { account: (login === 'me@example.test' ? 1 : 2) as AccountId, login, overQuota: false, ...more },
    ],
    remote: [],
  })
  const known: Readonly<Record<string, Resolution>> = {
    'me@example.test': local('me@example.test'),
    'me+shop@example.test': local('me@example.test'),
    'sales@example.test': local('me@example.test', 'alias'),
    'other@example.test': local('other@example.test'),
    'full@example.test': local('full@example.test', 'account', { overQuota: true }),
    'small@example.test': local('small@example.test', 'account', { roomBytes: 1000 }),
    'away@example.test': {
      kind: 'local',
      via: 'alias',
      accounts: [],
      remote: [{ local: 'x', domain: 'remote.test' }],
    },
    'loop@example.test': { kind: 'alias-loop', through: ['loop@example.test', 'loop@example.test'] },
    'anything@catch.test': local('me@example.test', 'catch-all'),
    'a%b@catch.test': local('me@example.test', 'catch-all'),
  }
  return {
    isOurDomain: (domain) => domain === 'example.test' || domain === 'catch.test',
    resolve(address) {
      if (!this.isOurDomain(address.domain)) return { kind: 'not-ours' }
      return known[addressKey(address)] ?? { kind: 'no-such-user' }
    },
    mayUse: (account, address) =>
      account === ACCOUNT &&
      ['me@example.test', 'me+shop@example.test', 'sales@example.test'].includes(addressKey(address)),
    loginOf: (account) => (account === ACCOUNT ? 'me@example.test' : undefined),
  }
}

export function kit(settings: Partial<PipelineSettings> = {}): Kit {
  const state: Kit = {
    ports: undefined as never,
    accepted: [],
    traces: [],
    logged: [],
    failWith: undefined,
    noRoom: undefined,
    evidence: NO_EVIDENCE,
  }
  const bodies = new WeakMap<object, string>()
  const ports: PipelinePorts = {
    directory: directory(),
    clock: {
      now: () => 1_700_000_000_000,
      zoneMinutes: () => 540,
      monotonic: () => 0,
      after: () => () => {},
    },
    random: { bytes: (count) => new Uint8Array(count) },
    log: { event: (name, fields) => void state.logged.push({ name, fields }) },
    settings: () => ({
      hostname: 'mail.example.test',
      maxMessageBytes: 10_000,
      maxReceived: 25,
      trustedFrom: ['printer@example.test'],
      testDomain: 'try.test',
      policy: EXEMPT,
      junkDomains: [],
      holdMs: 30 * 24 * 60 * 60_000,
      ...settings,
    }),
    mailAuth: {
      evaluate: async () => ({ evidence: state.evidence, seal: '' }),
      sign: async () => '',
    },
    trust: { entries: () => [], add: () => Promise.reject(new Error('not here')), remove: async () => false },
    signingKeys: { forDomain: async () => [] },
    intake: {
      room: () => state.noRoom,
      body(maxBytes) {
        const chunks: Uint8Array[] = []
        return {
          heldBytes: 0,
          write: (chunk) => void chunks.push(chunk),
          async finish() {
            const content = Buffer.concat(chunks)
            if (content.length > maxBytes) return { ok: false, failure: { kind: 'too-big', cause: 'test' } }
            const text = content.toString('latin1')
            const end = text.indexOf('\r\n\r\n')
            const handle = {}
            bodies.set(handle, text)
            const staged: StagedBody = {
              sizeBytes: content.length,
              header: content.subarray(0, end < 0 ? content.length : end + 4),
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
      async accept(message) {
        if (state.failWith !== undefined) return { ok: false, failure: state.failWith }
        state.accepted.push({ ...message, content: bodies.get(message.body.handle) ?? '' })
        return {
          ok: true,
          value: message.deliveries.map(({ owner, mailbox }, i) => ({ owner, mailbox, uid: i + 1 })),
        }
      },
      trace: (id, events) => void state.traces.push({ id, events: [...events] }),
    },
  }
  return Object.assign(state, { ports })
}

export function origin(given: Partial<Origin> = {}): Origin {
  return {
    role: 'mx',
    listener: 'mx',
    client: '192.0.2.7',
    proxied: false,
    helo: 'client.test',
    extended: true,
    ...given,
  }
}

export const LOGGED_IN: Partial<Origin> = {
  role: 'submission',
  login: { account: ACCOUNT, login: 'me@example.test', mechanism: 'PLAIN' },
}
