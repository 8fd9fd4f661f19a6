import type { AccountInfo } from '../../ports/accounts.ts'

/** Accounts named in one note; the rest is counted. */
const MAX_NAMED = 10

/** A note about accounts whose domain is not (no longer) one of ours; undefined where there are none. */
export function strandedNote(
  accounts: readonly AccountInfo[],
  domains: readonly string[],
): string | undefined {
  const stranded = accounts
    .map(({ login }) => login)
    .filter((login) => !domains.includes(login.slice(login.lastIndexOf('@') + 1)))
  if (stranded.length === 0) return undefined
  const named = stranded.slice(0, MAX_NAMED).join(', ')
  const more = stranded.length > MAX_NAMED ? ` and ${stranded.length - MAX_NAMED} more` : ''
  const what = stranded.length === 1 ? '1 account is' : `${stranded.length} accounts are`
  return `${what} in no domain of domains.names and can get no mail from outside: ${named}${more}`
}
