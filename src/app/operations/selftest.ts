import { isIpv6 } from '../../mail/ip.ts'
import { formatReply, isPermanent, isPositive, type Reply } from '../../mail/reply.ts'
import { makeDialer } from '../../platform/dialer.ts'
import { throughDoor } from '../selftest/door.ts'
import { SELF_TEST_LIMITS } from '../selftest/limits.ts'
import { ownPolicyLines } from '../selftest/own-policy.ts'
import { type Expected, makeProbes, type Probe } from '../selftest/probes.ts'
import type { Decided, SelfTestRun } from '../selftest/run.ts'
import { secret } from '../selftest/self-tests.ts'
import { pipelineSettings } from '../settings.ts'
import { type Operation, type OperationPorts, type OperationResult, refused } from './operation.ts'

/** `selftest`: sends genuine and forged messages through the server's own door, and says what became of each. */
export const selftest: Operation = async (ports, _, progress) => {
  const { selfTest } = ports
  if (selfTest === undefined)
    return refused(
      'No server runs: a self-test goes through the door of a running one. Start it, then ask again.',
    )
  const { door, tests } = selfTest
  if (door === undefined)
    return refused(
      'This server has no port for mail from other servers (`listen.mx`): there is no door to test.',
    )
  const run = tests.begin(ports.random)
  if (run === undefined)
    return refused(`${SELF_TEST_LIMITS.runs} self-tests are under way already; ask again when one is over.`)
  try {
    return await tested(ports, { door, run, signal: progress.signal })
  } finally {
    tests.end(run)
  }
}

interface Test {
  readonly door: { readonly address: string; readonly port: number }
  readonly run: SelfTestRun
  readonly signal: AbortSignal
}

interface Row {
  readonly probe: Probe
  readonly decided: Decided | undefined
  readonly answer: Reply
}

async function tested(ports: OperationPorts, { door, run, signal }: Test): Promise<OperationResult> {
  const { mailAuth, clock, random } = ports
  const { server, listen, smtp } = ports.config()
  const unique = (): string => secret(random)
  const { policy } = pipelineSettings(ports.config())
  const probes = await makeProbes({ run, mailAuth, policy, nowMs: clock.now(), unique })
  const options = {
    ...door,
    ...{ name: server.hostname, proxyFrom: listen.proxy_from, dialer: makeDialer(), clock, random, signal },
    withinMs: SELF_TEST_LIMITS.messageMs + smtp.greeting_delay,
  }
  const advice = ownPolicyLines(ports)
  const rows = await Promise.all(
    probes.map(async (probe, number): Promise<Row> => {
      const answer = await throughDoor(options, { run, probe, number })
      return { probe, answer, decided: run.decided(probe.recipient) }
    }),
  )
  const at = isIpv6(door.address) ? `[${door.address}]:${door.port}` : `${door.address}:${door.port}`
  return told(rows, at, await advice)
}

function told(rows: readonly Row[], at: string, advice: readonly string[]): OperationResult {
  const failed = rows.filter((row) => !isRight(row)).length
  const settings = rows.flatMap(({ probe }) => probe.expected.setting ?? [])
  const lines = [
    `${rows.length} messages went to ${at}, the port for mail from other servers.`,
    '',
    ...table([HEAD, ...rows.map(cells)]),
    '',
    ...settings.map((setting) => `Expected so by the setting ${setting}.`),
    failed === 0
      ? 'Everything is OK: forged mail is stopped here, and genuine mail gets through. Nothing of these messages was kept but their traces (`hikyaku why ID`).'
      : `${failed} of ${rows.length} NOT OK: forged mail may get in here, or genuine mail be lost; \`hikyaku why ID\` tells what the server found, and the log what went wrong.`,
    ...advice,
  ]
  return { ok: true, lines, exitCode: failed === 0 ? 0 : 1 }
}

const HEAD: readonly string[] = ['MESSAGE', 'EXPECTED', 'GOT', '', 'ID', 'ANSWER']

function cells(row: Row): readonly string[] {
  const { probe, decided, answer } = row
  return [
    probe.says,
    ACTIONS[probe.expected.action],
    got(row),
    isRight(row) ? 'OK' : 'NOT OK',
    decided?.id ?? '-',
    shortened(formatReply(answer)),
  ]
}

const ACTIONS: Readonly<Record<Expected['action'], string>> = {
  accept: 'delivered',
  hold: 'held',
  refuse: 'refused',
  defer: 'put off',
  discard: 'thrown away',
}

function got({ probe, decided, answer }: Row): string {
  if (decided === undefined)
    return isPositive(answer) ? 'not judged' : isPermanent(answer) ? 'refused' : 'put off'
  const { action, rule } = decided.decision
  const { expected } = probe
  if (action !== expected.action) return ACTIONS[action]
  const but = expected.rules.includes(rule) ? missing(expected, decided) : rule
  return but === undefined ? ACTIONS[action] : `${ACTIONS[action]} (${but})`
}

/** By its own rule, and the peer was told so. */
function isRight({ probe, decided, answer }: Row): boolean {
  const { expected } = probe
  if (decided === undefined || decided.decision.action !== expected.action) return false
  if (!expected.rules.includes(decided.decision.rule) || missing(expected, decided) !== undefined)
    return false
  return expected.action === 'refuse' ? isPermanent(answer) : isPositive(answer)
}

/** What should have passed and did not. */
function missing({ signatures }: Expected, { evidence }: Decided): string | undefined {
  if (signatures === undefined) return undefined
  const { spf, dkim = [] } = evidence ?? {}
  if (spf?.result !== 'pass') return `SPF ${spf?.result ?? 'none'}`
  const passed = dkim.filter(({ result }) => result === 'pass').length
  return passed === signatures ? undefined : `${passed} of ${signatures} signatures pass`
}

const ANSWER_CHARS = 60
const shortened = (text: string): string =>
  text.length <= ANSWER_CHARS ? text : `${text.slice(0, ANSWER_CHARS - 2)} …`

/** Columns as wide as their widest cell. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
