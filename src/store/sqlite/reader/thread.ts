import { openForReading } from '../database.ts'
import type { Answers, HeldQuestion, Question } from '../questions.ts'
import { describeError, isUnreadable, Sql } from '../sql.ts'
import type { FromReader, ReaderData, ThreadPort, ToReader } from '../threads.ts'
import { fetchRows } from './fetch.ts'
import {
  heldBody,
  heldMessage,
  heldNetworks,
  heldTotals,
  listHeld,
  listUntold,
  untoldAccounts,
} from './held.ts'
import {
  countFrom,
  listMailboxes,
  loadMailbox,
  mailboxInfo,
  mailboxStatus,
  readCredentials,
  readDirectory,
} from './mailboxes.ts'
import { dueItems, listQueue, nextDue, queueBody, queueItem } from './queue.ts'
import { answerReports } from './reports.ts'
import { scanMessages } from './scan.ts'
import { findTraces, readTrace } from './traces.ts'
import { readTrust } from './trust.ts'

/** Answers one question. Each is one read transaction: what it tells was true at one moment. */
function answer(sql: Sql, folder: string, question: Question): Answers[Question['ask']] {
  switch (question.ask) {
    case 'fetch':
      return fetchRows(sql, folder, question.messages, question.wanted, question.maxBytes)
    case 'scan':
      return scanMessages(sql, folder, question)
    case 'load':
      return loadMailbox(sql, question.owner, question.mailbox)
    case 'info':
      return mailboxInfo(sql, question.owner, question.name)
    case 'mailboxes':
      return listMailboxes(sql, question.owner)
    case 'status':
      return mailboxStatus(sql, question.owner, question.name)
    case 'count-from':
      return countFrom(sql, question.mailbox, question.uid)
    case 'reusable':
      return reusableBytes(sql)
    case 'directory':
      return readDirectory(sql)
    case 'credentials':
      return readCredentials(sql, question.account)
    case 'due':
      return dueItems(sql, question)
    case 'next-due':
      return nextDue(sql)
    case 'queue-item':
      return queueItem(sql, question.id)
    case 'queue-list':
      return listQueue(sql, question.after, question.limit)
    case 'queue-body':
      return queueBody(sql, folder, question.id)
    case 'trace':
      return readTrace(sql, question.id)
    case 'find-traces':
      return findTraces(sql, question)
    case 'report-days':
    case 'report-day':
    case 'reports-received':
    case 'reports-sent':
      return answerReports(sql, question)
    case 'trust':
      return readTrust(sql)
    default:
      return answerHeld(sql, folder, question)
  }
}

function answerHeld(sql: Sql, folder: string, question: HeldQuestion): Answers[HeldQuestion['ask']] {
  switch (question.ask) {
    case 'held-list':
      return listHeld(sql, question)
    case 'held':
      return heldMessage(sql, question.trace)
    case 'held-body':
      return heldBody(sql, folder, question.trace)
    case 'held-totals':
      return heldTotals(sql)
    case 'held-networks':
      return heldNetworks(sql, question.aboveBytes, question.limit)
    case 'held-untold':
      return untoldAccounts(sql)
    case 'held-untold-of':
      return listUntold(sql, question.account, question.limit)
  }
}

function reusableBytes(sql: Sql): number {
  const [pages] = sql.get('PRAGMA freelist_count') ?? [0]
  const [size] = sql.get('PRAGMA page_size') ?? [0]
  return (pages as number) * (size as number)
}

/** Buffers that can change hands: ours alone, none out of Node's pool. */
function transfers(ask: Question['ask'], value: unknown): ArrayBuffer[] {
  if (ask === 'load' && value !== undefined) {
    const { uids, messageIds, flags, modseqs } = value as NonNullable<Answers['load']>
    return [uids, messageIds, flags, modseqs].map((array) => array.buffer as ArrayBuffer)
  }
  if (ask !== 'fetch') return []
  const { numbers, bytes } = value as Answers['fetch']
  return [numbers.buffer as ArrayBuffer, bytes.buffer as ArrayBuffer]
}

/** Opens the database and answers what comes until it is told to close. Throws where the database can't be opened. */
export function runReader(port: ThreadPort<ToReader, FromReader>, data: ReaderData): void {
  const sql = new Sql(openForReading(data.database))
  port.onMessage((message) => {
    if (message.kind === 'close') {
      sql.db.close()
      port.post({ kind: 'closed' })
      port.close()
      return
    }
    const { id, question } = message
    try {
      sql.run('BEGIN')
      const value = answer(sql, data.bodies, question)
      port.post({ kind: 'answer', id, value }, transfers(question.ask, value))
    } catch (error) {
      port.post({ kind: 'failed', id, cause: describeError(error) })
    } finally {
      endRead(sql)
    }
  })
  port.post({ kind: 'ready' })
}

/** A database that is damaged may refuse even the end of a reading; the thread must not die of it. */
function endRead(sql: Sql): void {
  if (!sql.db.isTransaction) return
  try {
    sql.run('COMMIT')
  } catch (error) {
    if (!isUnreadable(error)) throw error
    if (sql.db.isTransaction) sql.db.exec('ROLLBACK')
  }
}
