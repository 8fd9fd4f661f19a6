import { addressKey, parseAddress } from '../../mail/address.ts'
import { canonicalDomain } from '../../mail/domain.ts'
import { type Operation, type OperationArgs, refused, said, textArg, textList } from './operation.ts'

/** `alias add ALIAS TARGET…`; `@example.org` is the catch-all of a domain. */
export const aliasAdd: Operation = async (ports, args) => {
  const alias = aliasArg(args)
  if (alias === undefined)
    return refused(
      'An alias is an address such as sales@example.org, or @example.org for all that has no mailbox.',
    )
  const domain = alias.slice(alias.lastIndexOf('@') + 1)
  if (!ports.directory.isOurDomain(domain))
    return refused(`${domain} is not one of your domains; mail for it never comes here.`)
  const targets: string[] = []
  for (const text of textList(args, 'targets')) {
    const address = parseAddress(text)
    if (address === undefined) return refused(`${text} is no address.`)
    if (
      ports.directory.isOurDomain(address.domain) &&
      ports.directory.resolve(address).kind === 'no-such-user'
    ) {
      return refused(`There is no mailbox ${text} here; make the account first.`)
    }
    targets.push(addressKey(address))
  }
  if (targets.length === 0)
    return refused('Say where the alias leads: `hikyaku alias add sales@example.org me@example.org`.')
  const set = await ports.accounts.setAlias(alias, targets)
  if (!set.ok) return refused(`The alias was not made: ${set.error.kind} ${set.error.what}.`)
  ports.log.event('account.changed', { login: alias, what: 'alias' })
  return said(`${alias} leads to ${targets.join(', ')}.`)
}

export const aliasList: Operation = async (ports) => {
  const aliases = await ports.accounts.listAliases()
  return aliases.length === 0
    ? said('There are no aliases.')
    : said(...aliases.map(({ alias, targets }) => `${alias}  ${targets.join(', ')}`))
}

export const aliasRemove: Operation = async (ports, args) => {
  const alias = aliasArg(args)
  const removed = alias === undefined ? undefined : await ports.accounts.removeAlias(alias)
  if (removed?.ok !== true)
    return refused(
      `There is no alias ${textArg(args, 'alias') ?? ''}; \`hikyaku alias list\` shows those that are.`,
    )
  ports.log.event('account.changed', { login: alias, what: 'alias removed' })
  return said(`The alias ${alias} was removed.`)
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
