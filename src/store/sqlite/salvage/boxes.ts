import { SYSTEM_FLAGS } from '../../../mail/flags.ts'
import { keywordsOf } from '../../flag-bits.ts'
import type { Catalog } from './catalog.ts'
import { accountFolder, keywordsFile, maildirFolder } from './maildir.ts'
import type { Output } from './output.ts'

/** An account as it is found; one whose row is gone has a name that says so. */
export interface Account {
  readonly id: number
  readonly login: string
  readonly folder: string
}

export interface Box {
  readonly account: Account
  /** The mailbox's name; undefined for what has none any more. */
  readonly name: string | undefined
  /** Below the account's Maildir; '' for INBOX. */
  readonly folder: string
  readonly keywords: readonly string[]
}

/** Mailbox of a Maildir for mail of which only the account is known. */
export const LOST_AND_FOUND = 'lost+found'

/** Where everything goes: a folder for each account and mailbox, none of them twice. */
export class Boxes {
  readonly #accounts = new Map<number, Account>()
  readonly #folders = new Set<string>()
  readonly #boxes = new Map<number, Box>()
  readonly #made = new Set<string>()
  readonly #output: Output

  constructor(catalog: Catalog, output: Output) {
    this.#output = output
    for (const [id, login] of catalog.rows('SELECT id, login FROM accounts ORDER BY id'))
      this.#addAccount(id as number, login as string)
    const keywords = keywordTables(catalog)
    for (const row of catalog.rows('SELECT id, account, name FROM mailboxes ORDER BY id')) {
      const [id, owner, name] = row as readonly [number, number, string]
      const account = this.account(owner)
      const folder = this.#unique(`${account.folder}/`, maildirFolder(name), id)
      this.#boxes.set(id, { account, name, folder, keywords: keywords.get(id) ?? [] })
    }
  }

  get accounts(): Iterable<Account> {
    return this.#accounts.values()
  }

  get all(): Iterable<readonly [number, Box]> {
    return this.#boxes
  }

  account(id: number): Account {
    return this.#accounts.get(id) ?? this.#addAccount(id, `account-${id}`)
  }

  box(mailbox: number): Box | undefined {
    return this.#boxes.get(mailbox)
  }

  lostBox(account: Account): Box {
    return { account, name: undefined, folder: `.${LOST_AND_FOUND}`, keywords: [] }
  }

  /** The folder of a mailbox in the output, made as a Maildir where it is not there yet. */
  maildir(box: Box, isSure: boolean): string {
    const root = isSure ? 'accounts' : 'doubtful'
    const folder = `${root}/${box.account.folder}/Maildir${box.folder === '' ? '' : `/${box.folder}`}`
    if (this.#made.has(folder)) return folder
    this.#made.add(folder)
    for (const part of ['cur', 'new', 'tmp']) this.#output.folder(`${folder}/${part}`)
    const letters = keywordsFile(box.keywords)
    if (letters !== '') this.#output.text(`${folder}/dovecot-keywords`, letters)
    return folder
  }

  #addAccount(id: number, login: string): Account {
    const account = { id, login, folder: this.#unique('', accountFolder(login), id) }
    this.#accounts.set(id, account)
    return account
  }

  /** Two names may come out as one, where case does not count or a dot became another character. */
  #unique(scope: string, name: string, id: number): string {
    const isTaken = this.#folders.has(`${scope}${name}`.toLowerCase()) || name === `.${LOST_AND_FOUND}`
    const folder = isTaken ? `${name === '' ? '.INBOX' : name}~${id}` : name
    this.#folders.add(`${scope}${folder}`.toLowerCase())
    return folder
  }
}

function keywordTables(catalog: Catalog): Map<number, string[]> {
  const tables = new Map<number, string[]>()
  for (const row of catalog.rows('SELECT mailbox, bit, name FROM keywords ORDER BY mailbox, bit')) {
    const [mailbox, bit, name] = row as readonly [number, number, string]
    const names = tables.get(mailbox) ?? []
    tables.set(mailbox, names)
    // Bits whose names are lost keep their places.
    while (names.length < bit && names.length < MAX_KEYWORDS) names.push(`lost-${names.length}`)
    if (names.length === bit) names.push(name)
  }
  return tables
}

const MAX_KEYWORDS = 48

/** All flags of a message by their names. */
export function flagNames(bits: number, keywords: readonly string[]): string {
  const system = SYSTEM_FLAGS.filter(([, bit]) => (bits & bit) !== 0).map(([name]) => name)
  return [...system, ...keywordsOf(bits, keywords)].join(' ')
}
