import { size as sizeKind } from '../../config/kinds.ts'
import { addressKey, parseAddress } from '../../mail/address.ts'
import { sizeText } from '../../mail/size-text.ts'
import type { AccountInfo, AliasInfo } from '../../ports/accounts.ts'
import { type MadePassword, makeCredential } from '../../session/auth/passwords.ts'
import { accountProblem } from './account-problem.ts'
import {
  type Operation,
  type OperationArgs,
  type OperationPorts,
  type OperationResult,
  refused,
  said,
  textArg,
} from './operation.ts'

/** Name of the credential that an account is made with. */
const MAIN = 'main'

/** `account add ADDRESS [--quota SIZE]`, with a password on standard input or one that is generated. */
export const accountAdd: Operation = async (ports, args) => {
  const login = loginArg(args)
  if (login === undefined) return refused('An account is named by its address, such as me@example.org.')
  const domain = login.slice(login.lastIndexOf('@') + 1)
  if (!ports.directory.isOurDomain(domain)) {
    return refused(
      `${domain} is not one of your domains. Add it to \`domains.names\` in the configuration first.`,
    )
  }
  const quota = quotaArg(ports, args)
  if (!quota.ok) return quota.result
  const made = await makePassword(ports, login, args)
  if (!made.ok) return refused(`The password is refused: ${made.reason}.`)
  const added = await ports.accounts.addAccount({
    login,
    quotaBytes: quota.bytes,
    credential: made.credential,
  })
  if (!added.ok) return refused(accountProblem(added.error))
  ports.log.event('account.changed', { login, what: 'added' })
  return said(`Account: ${login}`, ...passwordLines(made))
}

export const accountList: Operation = async (ports) => {
  const accounts = await ports.accounts.listAccounts()
  return accounts.length === 0
    ? said('There are no accounts yet; `hikyaku account add ADDRESS` makes one.')
    : said(...accounts.map(accountLine))
}

/** `account password ADDRESS`: a new main password, from standard input or generated. */
export const accountPassword: Operation = async (ports, args) => {
  const login = loginArg(args)
  if (login === undefined || (await ports.accounts.findAccount(login)) === undefined)
    return refused(noSuchAccount(args))
  const made = await makePassword(ports, login, args)
  if (!made.ok) return refused(`The password is refused: ${made.reason}.`)
  const set = await ports.accounts.setCredential(login, made.credential)
  if (!set.ok) return refused(accountProblem(set.error))
  ports.log.event('account.changed', { login, what: 'password' })
  return said(`The password of ${login} was changed.`, ...passwordLines(made))
}

/** `account remove ADDRESS --with-mail [--with-aliases]`: the mail goes too, so that is said; so do aliases. */
export const accountRemove: Operation = async (ports, args) => {
  const login = loginArg(args)
  const found = login === undefined ? undefined : await ports.accounts.findAccount(login)
  if (login === undefined || found === undefined) return refused(noSuchAccount(args))
  if (args.withMail !== true) {
    return refused(
      `Removing ${login} deletes its mail (${sizeText(found.usedBytes)}). Say \`--with-mail\` if that is meant.`,
    )
  }
  const leading = (await ports.accounts.listAliases()).filter(({ targets }) => targets.includes(login))
  if (leading.length > 0 && args.withAliases !== true) {
    const names = leading.map(({ alias }) => alias).join(', ')
    return refused(
      `Aliases lead to ${login}: ${names}. Lead them elsewhere (\`alias set\`), or say \`--with-aliases\` to take the account out of them.`,
    )
  }
  const removed = await ports.accounts.removeAccount(login)
  if (!removed.ok) return refused(accountProblem(removed.error))
  ports.log.event('account.changed', { login, what: 'removed' })
  const lines = [`${login} and its mail were removed.`]
  for (const alias of leading) {
    const left = await leaveAlias(ports, alias, login)
    if (!left.ok) return refused(`${lines.join('\n')}\n${left.error}`)
    lines.push(left.line)
  }
  return said(...lines)
}

/** Takes an account out of an alias; one that leads nowhere else is removed. */
async function leaveAlias(
  ports: OperationPorts,
  { alias, targets }: AliasInfo,
  login: string,
): Promise<{ readonly ok: true; readonly line: string } | { readonly ok: false; readonly error: string }> {
  const rest = targets.filter((target) => target !== login)
  const done =
    rest.length === 0 ? await ports.accounts.removeAlias(alias) : await ports.accounts.setAlias(alias, rest)
  if (!done.ok) return { ok: false, error: accountProblem(done.error) }
  ports.log.event('account.changed', { login: alias, what: rest.length === 0 ? 'alias removed' : 'alias' })
  return {
    ok: true,
    line:
      rest.length === 0
        ? `The alias ${alias} led nowhere else and was removed.`
        : `${alias} leads to ${rest.join(', ')} now.`,
  }
}

/** `account quota ADDRESS SIZE|none`. */
export const accountQuota: Operation = async (ports, args) => {
  const login = loginArg(args)
  if (login === undefined) return refused(noSuchAccount(args))
  const quota = quotaArg(ports, args)
  if (!quota.ok) return quota.result
  const set = await ports.accounts.setQuota(login, quota.bytes)
  if (!set.ok) return refused(accountProblem(set.error))
  ports.log.event('account.changed', { login, what: 'quota' })
  return said(`The quota of ${login} is ${quota.bytes === undefined ? 'none' : sizeText(quota.bytes)}.`)
}

/** `account language ADDRESS en|ja`: that of what we write to its owner. */
export const accountLanguage: Operation = async (ports, args) => {
  const login = loginArg(args)
  if (login === undefined) return refused(noSuchAccount(args))
  const language = textArg(args, 'language')
  if (language !== 'en' && language !== 'ja') return refused('A language is en (English) or ja (Japanese).')
  const set = await ports.accounts.setLanguage(login, language)
  if (!set.ok) return refused(accountProblem(set.error))
  ports.log.event('account.changed', { login, what: 'language' })
  return said(`${login} is written to in ${language === 'ja' ? 'Japanese' : 'English'}.`)
}

async function makePassword(
  ports: OperationPorts,
  login: string,
  args: OperationArgs,
): Promise<MadePassword> {
  const { hasher, random, installationSecret } = ports
  const existing = await ports.accounts.credentials(login)
  return makeCredential(
    { login, name: MAIN, password: textArg(args, 'password'), existing },
    { hasher, random, installationSecret, scramSha1: ports.config().auth.scram_sha_1 },
  )
}

/** A generated password is shown, this once; a given one is known. */
function passwordLines(made: Extract<MadePassword, { ok: true }>): readonly string[] {
  return made.generated ? [`Password: ${made.password}`] : []
}

function loginArg(args: OperationArgs): string | undefined {
  const address = parseAddress(textArg(args, 'address') ?? '')
  return address === undefined ? undefined : addressKey(address)
}

function quotaArg(
  ports: OperationPorts,
  args: OperationArgs,
):
  | { readonly ok: true; readonly bytes: number | undefined }
  | { readonly ok: false; readonly result: OperationResult } {
  const text = textArg(args, 'quota')
  if (text === undefined) return { ok: true, bytes: ports.config().accounts.default_quota }
  if (text === 'none') return { ok: true, bytes: undefined }
  const reading = sizeKind.read(text)
  return reading.ok
    ? { ok: true, bytes: reading.value }
    : { ok: false, result: refused(`${reading.wrong}. Write ${sizeKind.write}, or none.`) }
}

function accountLine(account: AccountInfo): string {
  const quota = account.quotaBytes === undefined ? '' : ` of ${sizeText(account.quotaBytes)}`
  return `${account.login}  ${sizeText(account.usedBytes)}${quota}${account.disabled ? '  disabled' : ''}`
}

function noSuchAccount(args: OperationArgs): string {
  return `There is no account ${textArg(args, 'address') ?? ''}; \`hikyaku account list\` shows those that are.`
}
