import type { Cell, Row } from './check-database.ts'

/** What can be wrong. The name of a kind is stable: tests and operators' scripts go by it. */
export const FINDING_KINDS = [
  'unreadable',
  'page',
  'index',
  'schema',
  'value',
  'counters-row',
  'counter',
  'trace-bytes',
  'account-login',
  'account-used',
  'account-modseq',
  'account-inbox',
  'account-alias',
  'credential-form',
  'credential-stray',
  'alias-form',
  'good-address-stray',
  'mailbox-stray',
  'mailbox-name',
  'mailbox-parent',
  'mailbox-use',
  'mailbox-hidden',
  'mailbox-counts',
  'mailbox-tombstones',
  'mailbox-uidnext',
  'mailbox-modseq',
  'mailbox-doomed',
  'keyword-stray',
  'keyword-name',
  'keyword-gap',
  'subscription-stray',
  'subscription-name',
  'entry-mailbox',
  'entry-message',
  'entry-account',
  'entry-flags',
  'tombstone-mailbox',
  'tombstone-message',
  'tombstone-alive',
  'message-body',
  'message-refs',
  'message-unreferenced',
  'message-size',
  'message-thread',
  'message-hash',
  'thread-stray',
  'thread-id',
  'body-refs',
  'body-unreferenced',
  'body-text',
  'body-size',
  'body-crc',
  'body-head',
  'body-mime',
  'text-stray',
  'file-name',
  'file-shared',
  'file-missing',
  'file-stray',
  'file-mode',
  'file-owner',
  'file-type',
  'queue-body',
  'queue-form',
  'queue-size',
  'queue-recipients',
  'recipient-stray',
  'recipient-form',
  'recipient-detail',
  'held-body',
  'held-form',
  'held-plan',
  'held-size',
  'held-network',
  'held-recipients',
  'held-recipient-stray',
  'trust-form',
  'language-form',
  'language-stray',
  'report-day-form',
  'report-row-form',
  'report-row-stray',
  'report-day-rows',
  'report-received-form',
  'report-total',
  'trace-form',
  'trace-address-stray',
] as const
export type FindingKind = (typeof FINDING_KINDS)[number]

/** Where it is, as far as it is known. */
export interface Where {
  readonly table?: string | undefined
  /** The row's key as text. */
  readonly row?: string | undefined
  readonly account?: string | undefined
  readonly mailbox?: string | undefined
  readonly uid?: number | undefined
  /** Path below the data folder. */
  readonly file?: string | undefined
}

export interface Finding {
  readonly kind: FindingKind
  readonly where: Where
  /** For the operator: where, and what is wrong. */
  readonly sentence: string
  /** `hikyaku check --repair` can put it right, proven by what else is there. */
  readonly repairable: boolean
  /** What to do where it is not repairable. */
  readonly advice: string
  /** Nothing is lost or wrong; an ordinary stop of the machine leaves such things. */
  readonly harmless: boolean
}

/** What an ordinary end of the machine leaves. */
export const isHarmless = (kind: FindingKind): boolean => kind === 'file-stray'

export const SALVAGE = 'take what is readable out with `hikyaku salvage`, or restore a backup'

/** Columns that rules name alike: the place of what is wrong. */
export function whereOf(table: string, row: Row): Where {
  const uid = row.uid
  return {
    table,
    row: text(row.row ?? row.id),
    account: text(row.account),
    mailbox: text(row.mailbox),
    uid: typeof uid === 'number' ? uid : undefined,
    file: text(row.file),
  }
}

export function text(cell: Cell | undefined): string | undefined {
  if (cell === undefined || cell === null) return undefined
  return cell instanceof Uint8Array ? `${cell.length} octets` : String(cell)
}

/** `message UID 5 in INBOX of anna@example.test (row 17 of messages)`. */
export function placeText(where: Where): string {
  const { account, file, mailbox, row, table, uid } = where
  const tableRow =
    table === undefined ? undefined : row === undefined ? `table ${table}` : `row ${row} of ${table}`
  const place =
    mailbox === undefined
      ? account === undefined
        ? undefined
        : `account ${account}`
      : `${uid === undefined ? 'mailbox' : `message UID ${uid} in`} ${mailbox} of ${account ?? 'nobody'}`
  const named = file === undefined ? place : place === undefined ? file : `${place}, ${file}`
  if (named === undefined) return tableRow ?? 'data folder'
  return tableRow === undefined ? named : `${named} (${tableRow})`
}
