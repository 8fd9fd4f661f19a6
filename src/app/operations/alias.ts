import { addressKey, parseAddress } from '../../mail/address.ts'
import { canonicalDomain } from '../../mail/domain.ts'
import { accountProblem } from './account-problem.ts'
import {
  type Operation,
  type OperationArgs,
  type OperationPorts,
  type OperationResult,
  refused,
  said,
  textArg,
  textList,
} from './operation.ts'

/** `alias add ALIAS TARGET…`: these too; what is there already stays. */
export const aliasAdd: Operation = async (ports, args) => {
  const asked = readAlias(ports, args)
  if (!asked.ok) return asked.result
  const { alias, targets } = asked
  const known = await targetsOf(ports, alias)
  const added = targets.filter((target) => !known.includes(target))
  if (added.length === 0) return said(`${alias} leads to ${known.join(', ')} already; nothing was changed.`)
  return save(ports, alias, [...known, ...added])
}

/** `alias set ALIAS TARGET…`: these and no others. */
export const aliasSet: Operation = async (ports, args) => {
  const asked = readAlias(ports, args)
  if (!asked.ok) return asked.result
  const known = await targetsOf(ports, asked.alias)
  const gone = known.filter((target) => !asked.targets.includes(target))
  return save(ports, asked.alias, asked.targets, gone)
}

export const aliasList: Operation = async (ports) => {
  const aliases = await ports.accounts.listAliases()
  return aliases.length === 0
    ? said('There are no aliases.')
    : said(...aliases.map(({ alias, targets }) => `${alias}  ${targets.join(', ')}`))
}

/** `alias remove ALIAS [TARGET…]`: the whole alias, or only some of its targets. */
export const aliasRemove: Operation = async (ports, args) => {
  const alias = aliasArg(args)
  const known = alias === undefined ? [] : await targetsOf(ports, alias)
  if (alias === undefined || known.length === 0)
    return refused(
      `There is no alias ${textArg(args, 'alias') ?? ''}; \`hikyaku alias list\` shows those that are.`,
    )
  const leaving = textList(args, 'targets').map(targetKey)
  const stranger = leaving.find((target) => !known.includes(target))
  if (stranger !== undefined)
    return refused(`${alias} does not lead to ${stranger}, but to ${known.join(', ')}.`)
  const rest = leaving.length === 0 ? [] : known.filter((target) => !leaving.includes(target))
  if (rest.length > 0) return save(ports, alias, rest)
  const removed = await ports.accounts.removeAlias(alias)
  if (!removed.ok) return refused(accountProblem(removed.error))
  ports.log.event('account.changed', { login: alias, what: 'alias removed' })
  return said(`The alias ${alias} was removed.`)
}

async function save(
  ports: OperationPorts,
  alias: string,
  targets: readonly string[],
  gone: readonly string[] = [],
): Promise<OperationResult> {
  const set = await ports.accounts.setAlias(alias, targets)
  if (!set.ok) return refused(accountProblem(set.error))
  ports.log.event('account.changed', { login: alias, what: 'alias' })
  const before = gone.length === 0 ? '' : `, no longer to ${gone.join(', ')}`
  return said(`${alias} leads to ${targets.join(', ')}${before}.`)
}

async function targetsOf(ports: OperationPorts, alias: string): Promise<readonly string[]> {
  return (await ports.accounts.listAliases()).find((known) => known.alias === alias)?.targets ?? []
}

/** The alias and where it is to lead, or what is wrong with either. */
function readAlias(
  ports: OperationPorts,
  args: OperationArgs,
):
  | { readonly ok: true; readonly alias: string; readonly targets: readonly string[] }
  | { readonly ok: false; readonly result: OperationResult } {
  const no = (sentence: string) => ({ ok: false, result: refused(sentence) }) as const
  const alias = aliasArg(args)
  if (alias === undefined)
    return no(
      'An alias is an address such as sales@example.org, or @example.org for all that has no mailbox.',
    )
  const domain = alias.slice(alias.lastIndexOf('@') + 1)
  if (!ports.directory.isOurDomain(domain))
    return no(
      `${domain} is not one of your domains (\`domains.names\` in the configuration); mail for it never comes here.`,
    )
  const targets = new Set<string>()
  for (const text of textList(args, 'targets')) {
    const address = parseAddress(text)
    if (address === undefined) return no(`"${text}" is no address that mail can go to.`)
    if (addressKey(address) === alias) return no(`${alias} cannot lead to itself.`)
    if (
      ports.directory.isOurDomain(address.domain) &&
      ports.directory.resolve(address).kind === 'no-such-user'
    )
      return no(`There is no mailbox ${text} here; \`hikyaku account add ${text}\` makes one.`)
    targets.add(addressKey(address))
  }
  if (targets.size === 0)
    return no('Say where the alias leads: `hikyaku alias add sales@example.org me@example.org`.')
  return { ok: true, alias, targets: [...targets] }
}

function aliasArg(args: OperationArgs): string | undefined {
  const text = textArg(args, 'alias') ?? ''
  if (text.startsWith('@')) {
    const domain = canonicalDomain(text.slice(1))
    return domain === undefined ? undefined : `@${domain}`
  }
  const address = parseAddress(text)
  return address === undefined ? undefined : addressKey(address)
}

function targetKey(text: string): string {
  const address = parseAddress(text)
  return address === undefined ? text : addressKey(address)
}
