import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../mail/assert.ts'
import { openForReading } from './database.ts'
import type { Answers, Question } from './questions.ts'
import { fetchRows } from './reader/fetch.ts'
import {
  countFrom,
  listMailboxes,
  loadMailbox,
  mailboxInfo,
  mailboxStatus,
  readCredentials,
  readDirectory,
} from './reader/mailboxes.ts'
import { dueItems, listQueue, nextDue, queueBody, queueItem } from './reader/queue.ts'
import { scanMessages } from './reader/scan.ts'
import { findTraces, readTrace } from './reader/traces.ts'
import { describeError, Sql } from './sql.ts'
import type { FromReader, ReaderData, ToReader } from './threads.ts'

/** Answers one question. Each is one read transaction: what it tells was true at one moment. */
function answer(sql: Sql, folder: string, question: Question): Answers[Question['ask']] {
  switch (question.ask) {
    case 'fetch':
      return fetchRows(sql, folder, question.messages, question.wanted)
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

function run(port: MessagePort, data: ReaderData): void {
  const sql = new Sql(openForReading(data.database))
  const post = (message: FromReader, buffers: ArrayBuffer[] = []): void => port.postMessage(message, buffers)
  port.on('message', (message: ToReader) => {
    if (message.kind === 'close') {
      sql.db.close()
      post({ kind: 'closed' })
      port.close()
      return
    }
    const { id, question } = message
    try {
      sql.run('BEGIN')
      const value = answer(sql, data.bodies, question)
      post({ kind: 'answer', id, value }, transfers(question.ask, value))
    } catch (error) {
      post({ kind: 'failed', id, cause: describeError(error) })
    } finally {
      if (sql.db.isTransaction) sql.run('COMMIT')
    }
  })
  post({ kind: 'ready' })
}

assert(parentPort !== null, 'reader-thread.ts runs as a worker')
run(parentPort, workerData as ReaderData)
