import { addressKey, parseAddress } from '../../../../mail/address.ts'
import { canonicalDomain } from '../../../../mail/domain.ts'
import { parseMailboxName } from '../../../../mail/mailbox-name.ts'
import type { Cell } from '../check-database.ts'
import type { Rule } from '../rule.ts'
import { isArgon2id, isScram, jsonOf } from '../texts.ts'

const MAX_SAFE = Number.MAX_SAFE_INTEGER

/** Accounts and what belongs to one besides its mailboxes. */
export const ACCOUNT_RULES: readonly Rule[] = [
  {
    kind: 'account-modseq',
    table: 'accounts',
    sql: `SELECT a.id, a.login AS account, a.modseq AS has, max(1, coalesce(max(b.highest_modseq), 1)) AS should
      FROM accounts a LEFT JOIN mailboxes b ON b.account = a.id AND b.highest_modseq <= ${MAX_SAFE}
      GROUP BY a.id HAVING a.modseq < should`,
    says: ({ has, should }) => `its MODSEQ is ${has}, and a mailbox has ${should} already`,
    repair: ['UPDATE accounts SET modseq = $should WHERE id = $id'],
    repaired: ({ should }) => `MODSEQ raised to ${should}`,
  },
  {
    kind: 'account-login',
    table: 'accounts',
    sql: 'SELECT id, login AS account FROM accounts',
    isWrong: ({ account }) => !isLogin(account),
    says: () => 'its name is no address in the form in which log-ins are looked up',
    advice: 'make the account anew and move its mail with `hikyaku salvage`',
  },
  {
    kind: 'account-inbox',
    table: 'accounts',
    sql: `SELECT a.id, a.login AS account FROM accounts a WHERE NOT EXISTS
      (SELECT 1 FROM mailboxes b WHERE b.account = a.id AND b.name = 'INBOX' AND b.selectable != 0)`,
    says: () => 'it has no INBOX, so that no mail can be delivered to it',
    advice: 'make an account beside it and move its mail there with `hikyaku salvage`, or restore a backup',
  },
  {
    kind: 'account-alias',
    table: 'aliases',
    sql: 'SELECT l.alias AS row, a.login AS account FROM aliases l JOIN accounts a ON a.login = l.alias',
    says: () => 'the address is an account and an alias as well',
    advice: 'remove the alias with `hikyaku alias remove`, or the account',
  },
  strayOf('credential-stray', 'credentials', 'name', 'a password'),
  {
    kind: 'credential-form',
    table: 'credentials',
    sql: `SELECT c.account || '/' || c.name AS row, a.login AS account, c.argon2id, c.scram
      FROM credentials c JOIN accounts a ON a.id = c.account`,
    isWrong: ({ argon2id, scram }) => !isArgon2id(argon2id) || !isScram(scram),
    says: () => 'what is kept of its password cannot be read, so that nobody can log in with it',
    advice: 'set a new password with `hikyaku account password`',
  },
  {
    kind: 'alias-form',
    table: 'aliases',
    sql: 'SELECT alias AS row, targets FROM aliases',
    isWrong: ({ row, targets }) => !isAlias(row) || !areTargets(targets),
    says: () => 'the alias or its targets cannot be read',
    advice: 'set it anew with `hikyaku alias set`',
  },
  strayOf('good-address-stray', 'good_addresses', 'address', 'a known address'),
  strayOf('subscription-stray', 'subscriptions', 'name', 'a subscription'),
  strayOf('language-stray', 'languages', 'language', 'the language'),
  {
    kind: 'subscription-name',
    table: 'subscriptions',
    sql: `SELECT s.account || '/' || s.name AS row, s.account AS ofAccount, s.name, a.login AS account
      FROM subscriptions s JOIN accounts a ON a.id = s.account`,
    isWrong: ({ name }) => !isMailboxName(name),
    says: ({ name }) => `it subscribes to "${name}", which is no name of a mailbox`,
    repair: ['DELETE FROM subscriptions WHERE account = $ofAccount AND name = $name'],
    repaired: ({ name }) => `subscription "${name}" removed`,
  },
]

export function isMailboxName(name: Cell | undefined): boolean {
  return typeof name === 'string' && parseMailboxName(name) === name
}

function isLogin(login: Cell | undefined): boolean {
  const address = typeof login === 'string' ? parseAddress(login) : undefined
  return address !== undefined && addressKey(address) === login
}

function isAlias(alias: Cell | undefined): boolean {
  if (typeof alias !== 'string' || !alias.startsWith('@')) return isLogin(alias)
  return canonicalDomain(alias.slice(1)) === alias.slice(1)
}

function areTargets(targets: Cell | undefined): boolean {
  const list = jsonOf(targets)
  if (!Array.isArray(list) || list.length === 0) return false
  return list.every((one: unknown) => typeof one === 'string' && parseAddress(one) !== undefined)
}

/** A row of an account that is not there, by the column that tells it from the account's others. It holds no mail. */
function strayOf(kind: Rule['kind'], table: Rule['table'], key: string, what: string): Rule {
  return {
    kind,
    table,
    sql: `SELECT account || '/' || ${key} AS row, account AS ofAccount, ${key} FROM ${table}
      WHERE account NOT IN (SELECT id FROM accounts)`,
    says: () => `${what} of an account that is not there`,
    repair: [`DELETE FROM ${table} WHERE account = $ofAccount AND ${key} = $${key}`],
    repaired: () => 'removed',
  }
}
