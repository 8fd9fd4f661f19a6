import { Chance } from './chance.ts'
import type { Death, DiskTrouble } from './machine.ts'
import type { NetworkTrouble } from './network.ts'

/* What a seed means: who takes part and what goes wrong. Parts can be left out, to find those that a failure needs. */

export const DOMAINS = ['a.test', 'b.test', 'c.test'] as const

/** Mail goes and things break until then. */
export const BUSY_MS = 4 * 60_000
const HOUR_MS = 3_600_000

/** From then on a server's clock says something else: a time server that was wrong, or one that sets it right. */
export interface ClockJump {
  readonly atMs: number
  readonly byMs: number
}

/** A disk on which others leave hardly any room meanwhile. */
export interface LowRoom {
  readonly fromMs: number
  readonly toMs: number
  readonly freeBytes: number
}

export interface ServerPlan {
  readonly domain: string
  readonly deaths: readonly Death[]
  readonly troubles: readonly DiskTrouble[]
  readonly jumps: readonly ClockJump[]
  readonly lowRoom: LowRoom | undefined
  readonly downMs: number
}

export interface SubmitterPlan {
  readonly name: string
  readonly server: number
  readonly via: 'submission' | 'lmtp'
  readonly messages: number
}

export interface ImapPlan {
  readonly name: string
  readonly server: number
  readonly account: string
  readonly commands: number
  /** Whether it deletes and copies mail, or only reads, marks and moves it. */
  readonly isRough: boolean
}

/** DNS does not answer for a domain meanwhile. */
export interface DnsTrouble {
  readonly domain: string
  readonly fromMs: number
  readonly toMs: number
}

export interface Plan {
  readonly seed: number
  readonly servers: readonly ServerPlan[]
  readonly submitters: readonly SubmitterPlan[]
  readonly imap: readonly ImapPlan[]
  readonly dns: readonly DnsTrouble[]
  readonly network: NetworkTrouble
  readonly operatorActs: number
}

/** @param without names of parts to leave out, as `partsOf` gives them. */
export function makePlan(seed: number, without: ReadonlySet<string> = new Set()): Plan {
  const chance = new Chance(seed, 'plan')
  const count = chance.happens(0.3) ? 3 : 2
  const servers = DOMAINS.slice(0, count).map((domain) => planServer(domain, seed, without))
  const submitters = Array.from({ length: 2 + chance.below(3) }, (_, index) =>
    planSubmitter(index, count, seed),
  )
  const imap = Array.from({ length: 2 + chance.below(3) }, (_, index) => planImap(index, count, seed))
  const dns = servers.flatMap(({ domain }) => planDns(domain, seed))
  return {
    seed,
    servers,
    submitters: submitters.filter(({ name }) => !without.has(name)),
    imap: imap.filter(({ name }) => !without.has(name)),
    dns: without.has('dns') ? [] : dns,
    network: planNetwork(seed, without.has('network')),
    operatorActs: without.has('operator') ? 0 : chance.below(4),
  }
}

/** What can be left out of a plan. */
export function partsOf(plan: Plan): readonly string[] {
  const servers = plan.servers.flatMap(({ domain, deaths, troubles, jumps, lowRoom }) => [
    ...(deaths.length > 0 ? [`deaths of ${domain}`] : []),
    ...(troubles.length > 0 ? [`disk of ${domain}`] : []),
    ...(jumps.length > 0 ? [`clock of ${domain}`] : []),
    ...(lowRoom !== undefined ? [`room of ${domain}`] : []),
  ])
  const actors = [...plan.submitters, ...plan.imap].map(({ name }) => name)
  return ['network', 'dns', 'operator', ...servers, ...actors]
}

function planServer(domain: string, seed: number, without: ReadonlySet<string>): ServerPlan {
  const chance = new Chance(seed, `server ${domain}`)
  const deaths = Array.from({ length: chance.happens(0.6) ? 1 + chance.below(2) : 0 }, () => ({
    atMs: chance.between(2_000, BUSY_MS),
    statements: chance.happens(0.6) ? 1 + chance.below(60) : undefined,
  }))
  const troubles = Array.from({ length: chance.happens(0.4) ? 1 + chance.below(2) : 0 }, () => {
    const fromMs = chance.between(0, BUSY_MS)
    return {
      fromMs,
      toMs: fromMs + chance.between(1_000, 60_000),
      kind: chance.pick(['full', 'io'] as const),
      share: chance.pick([0.005, 0.03, 0.2]),
    }
  })
  return {
    domain,
    deaths: without.has(`deaths of ${domain}`) ? [] : deaths.sort((a, b) => a.atMs - b.atMs),
    troubles: without.has(`disk of ${domain}`) ? [] : troubles,
    jumps: without.has(`clock of ${domain}`) ? [] : planJumps(domain, seed),
    lowRoom: without.has(`room of ${domain}`) ? undefined : planLowRoom(domain, seed),
    downMs: chance.between(50, 20_000),
  }
}

/**
 * Seconds, minutes, or just more than is believed at once, either way, and mostly back again after a while. Mail that
 * came while the clock was ahead is given up so much later: a world could not wait for days.
 */
function planJumps(domain: string, seed: number): ClockJump[] {
  const chance = new Chance(seed, `clock ${domain}`)
  if (!chance.happens(0.3)) return []
  const atMs = chance.between(0, BUSY_MS)
  const hours = chance.pick([0.01, 0.3, 1.1]) * chance.pick([-1, 1])
  const jump = { atMs, byMs: hours * HOUR_MS }
  return chance.happens(0.4) ? [jump] : [jump, { atMs: chance.between(atMs, BUSY_MS), byMs: -jump.byMs }]
}

function planLowRoom(domain: string, seed: number): LowRoom | undefined {
  const chance = new Chance(seed, `room ${domain}`)
  if (!chance.happens(0.15)) return undefined
  const fromMs = chance.between(0, BUSY_MS)
  return { fromMs, toMs: fromMs + chance.between(2_000, 90_000), freeBytes: chance.below(32 * 1024 * 1024) }
}

function planSubmitter(index: number, servers: number, seed: number): SubmitterPlan {
  const name = `sender ${index + 1}`
  const chance = new Chance(seed, name)
  return {
    name,
    server: chance.below(servers),
    via: chance.happens(0.2) ? 'lmtp' : 'submission',
    messages: 3 + chance.below(5),
  }
}

function planImap(index: number, servers: number, seed: number): ImapPlan {
  const name = `reader ${index + 1}`
  const chance = new Chance(seed, name)
  return {
    name,
    // Mostly several at one account, since that is where views differ.
    server: chance.happens(0.7) ? 0 : chance.below(servers),
    account: chance.happens(0.8) ? 'u1' : 'u2',
    commands: 12 + chance.below(16),
    isRough: chance.happens(0.7),
  }
}

function planDns(domain: string, seed: number): DnsTrouble[] {
  const chance = new Chance(seed, `dns ${domain}`)
  if (!chance.happens(0.2)) return []
  const fromMs = chance.between(0, BUSY_MS)
  return [{ domain, fromMs, toMs: fromMs + chance.between(5_000, BUSY_MS) }]
}

function planNetwork(seed: number, isCalm: boolean): NetworkTrouble {
  const chance = new Chance(seed, 'network plan')
  const most = chance.pick([0, 0.1, 0.35])
  return {
    cutShare: isCalm ? 0 : most,
    vanishShare: isCalm ? 0 : most / 5,
    refuseShare: isCalm ? 0 : most / 4,
    silentShare: isCalm ? 0 : most / 8,
    chopShare: chance.pick([0, 0.1, 0.6]),
    latencyMs: chance.pick([1, 20, 200]),
  }
}
