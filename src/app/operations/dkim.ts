import { canonicalDomain } from '../../mail/domain.ts'
import type { Generation } from '../../pki/dkim-generation.ts'
import { recordName, recordValue, zoneLine } from '../../pki/dkim-record.ts'
import { signingOf, waitingOf } from '../../pki/dkim-rotation.ts'
import { DKIM_SEEN_FOR_MS } from '../../pki/limits.ts'
import {
  algorithmText,
  type LookedAt,
  type LookedAtGeneration,
  lookAtDomain,
  publishedText,
  recordMayGoMs,
  retiredText,
} from './dkim-look.ts'
import { type Operation, type OperationPorts, refused, said, textArg, timeText } from './operation.ts'

const NONE =
  'No domain is signed for: name your domains in `domains.names`, and look at `dkim.sign` and `dkim.domains`.'

/** `dkim list`: one line a key. */
export const dkimList: Operation = async (ports) => {
  const { domains } = ports.dkim
  if (domains.length === 0) return said(NONE)
  const lines: string[] = []
  for (const domain of domains) {
    const read = await lookAtDomain(ports, domain)
    lines.push(...(read.ok ? read.looked.generations.flatMap(listed(ports, domain)) : [read.sentence]))
  }
  return said(...lines)
}

function listed(ports: OperationPorts, domain: string): (looked: LookedAtGeneration) => readonly string[] {
  return ({ generation, keys }) =>
    keys.map(({ key, published }) => {
      const state = {
        signing: () => `signing; ${publishedText(published)}`,
        waiting: () => `${publishedText(published)}, not signing yet`,
        retired: () => `retired; ${retiredText(ports, generation, published)}`,
      }[generation.state]()
      const sinceMs = generation.retiredAtMs ?? generation.signingSinceMs ?? generation.madeAtMs
      return `${domain}  ${key.selector}  ${algorithmText(key)}  since ${timeText(ports, sinceMs)}  ${state}`
    })
}

/** `dkim show [DOMAIN]`: what to publish, and what is published. */
export const dkimShow: Operation = async (ports, args) => {
  const asked = domainsOf(ports, textArg(args, 'domain'))
  if (!asked.ok) return refused(asked.sentence)
  const lines: string[] = []
  for (const domain of asked.domains) {
    const read = await lookAtDomain(ports, domain)
    if (!read.ok) return refused(read.sentence)
    lines.push(...(lines.length === 0 ? [] : ['']), ...shown(ports, read.looked))
  }
  return said(...lines)
}

function shown(ports: OperationPorts, { domain, generations }: LookedAt): readonly string[] {
  const lines: string[] = []
  for (const looked of generations.filter(({ generation }) => generation.state !== 'retired'))
    lines.push(...shownGeneration(ports, domain, looked))
  for (const { generation, keys } of generations.filter(({ generation }) => generation.state === 'retired'))
    for (const { key, published } of keys)
      if (published.kind !== 'missing')
        lines.push(
          `${recordName(key.selector, domain)} is retired: ${retiredText(ports, generation, published)}.`,
        )
  return lines
}

function shownGeneration(
  ports: OperationPorts,
  domain: string,
  { generation, keys }: LookedAtGeneration,
): readonly string[] {
  const head =
    generation.state === 'signing'
      ? `${domain} signs with ${generation.name} since ${timeText(ports, generation.signingSinceMs ?? generation.madeAtMs)}.`
      : `${domain} will sign with ${generation.name}. ${waitingText(ports, generation)}`
  return [
    head,
    'Publish these two TXT records. In a zone file:',
    ...keys.map(({ key }) => `    ${zoneLine(key, domain)}`),
    ...keys.flatMap(({ key, published }) => [
      `${algorithmText(key)}: ${publishedText(published)}. To type into a panel (some add .${domain} by themselves):`,
      `    name   ${recordName(key.selector, domain)}`,
      `    value  ${recordValue(key)}`,
    ]),
  ]
}

function waitingText(ports: OperationPorts, { seenAtMs }: Generation): string {
  return seenAtMs === undefined
    ? 'It waits until both its records are seen in the DNS.'
    : `Its records are in the DNS; it signs after ${timeText(ports, seenAtMs + DKIM_SEEN_FOR_MS)}, if they are still seen then.`
}

/** `dkim rotate DOMAIN [--now]`: asked again, it makes no more keys and tells how far it is. */
export const dkimRotate: Operation = async (ports, args) => {
  const asked = domainsOf(ports, textArg(args, 'domain') ?? '')
  if (!asked.ok) return refused(asked.sentence)
  const [domain = ''] = asked.domains
  const before = await ports.dkim.generations(domain)
  if (!before.ok) return refused(before.sentence)
  const wasWaiting = waitingOf(before.generations) !== undefined
  const rotated = await ports.dkim.rotate(domain, { now: args.now === true })
  if (!rotated.ok) return refused(rotated.sentence)
  const read = await lookAtDomain(ports, domain)
  if (!read.ok) return refused(read.sentence)
  const { looked } = read
  const generations = looked.generations.map(({ generation }) => generation)
  const old = signingOf(before.generations)
  const hasSwitched = old !== undefined && signingOf(generations)?.name !== old.name
  return said(
    ...(wasWaiting && !hasSwitched ? ['New keys are there already; no others were made.'] : []),
    ...shown(ports, { ...looked, generations: looked.generations.filter(isNewest) }),
    '',
    ...(hasSwitched ? switchedSteps(ports, domain, old, looked) : waitingSteps(ports, domain, old)),
  )
}

const isNewest = (looked: LookedAtGeneration, i: number, all: readonly LookedAtGeneration[]): boolean =>
  i === all.length - 1 && looked.generation.state !== 'retired'

function waitingSteps(ports: OperationPorts, domain: string, old: Generation | undefined): readonly string[] {
  const keepDays = Math.ceil((recordMayGoMs(ports, 0) - 0) / 86_400_000)
  const selectors = (old?.keys ?? []).map(({ selector }) => selector).join(' and ')
  return [
    `1. Publish the two records above. Leave those of ${selectors}: mail is still signed with these keys.`,
    '2. The server looks every hour. Once it has seen both records for an hour it signs with the new keys by itself',
    `   (\`hikyaku dkim show ${domain}\` looks at once; \`hikyaku dkim rotate ${domain} --now\` does not wait).`,
    `3. ${keepDays} days after that, take out the old records; \`hikyaku dkim list\` says when.`,
  ]
}

function switchedSteps(
  ports: OperationPorts,
  domain: string,
  old: Generation,
  { generations }: LookedAt,
): readonly string[] {
  const newest = generations.at(-1)
  const lacks = newest?.keys.some(({ published }) => published.kind !== 'matches') ?? true
  const selectors = old.keys.map(({ selector }) => selector).join(' and ')
  return [
    `${domain} signs with the new keys from now on.`,
    ...(lacks
      ? [
          'Their records were not seen in the DNS: publish them at once, until then receivers find no valid DKIM signature on your mail.',
        ]
      : []),
    `Leave the records of ${selectors} in the DNS until ${timeText(ports, recordMayGoMs(ports, ports.clock.now()))}: mail that is under way was signed with them. Then take them out.`,
  ]
}

function domainsOf(
  { dkim, config }: OperationPorts,
  text: string | undefined,
):
  | { readonly ok: true; readonly domains: readonly string[] }
  | { readonly ok: false; readonly sentence: string } {
  if (text === undefined)
    return dkim.domains.length === 0 ? { ok: false, sentence: NONE } : { ok: true, domains: dkim.domains }
  const domain = canonicalDomain(text)
  if (domain !== undefined && dkim.domains.includes(domain)) return { ok: true, domains: [domain] }
  const isOurs = domain !== undefined && config().domains.names.includes(domain)
  return {
    ok: false,
    sentence: isOurs
      ? `${domain} is not signed for: \`dkim.sign\` is off, or \`dkim.domains\` does not name it.`
      : `"${text}" is not one of your domains (\`domains.names\` in the configuration).`,
  }
}
