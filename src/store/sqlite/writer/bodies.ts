import { hash } from 'node:crypto'
import { THREAD_REFERENCES } from '../../limits.ts'
import type { BodyRow } from '../operations.ts'
import type { Sql } from '../sql.ts'
import type { Context } from './context.ts'

const INSERT_BODY = `INSERT INTO bodies (id, refs, size, crc, header_size, sent_day, file, prefix, envelope,
  structure, body, parts, head) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
const INSERT_TEXT = 'INSERT INTO texts (body, bytes) VALUES (?, ?)'
const INSERT_MESSAGE = `INSERT INTO messages (id, account, body, thread, refs, size, arrived_ms, zone, id_hash)
  VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?)`
const SELECT_THREAD = 'SELECT thread FROM thread_ids WHERE account = ? AND hash = ?'
const INSERT_THREAD = 'INSERT OR IGNORE INTO thread_ids (account, hash, thread, message) VALUES (?, ?, ?, ?)'
const SELECT_REFS = 'SELECT body, refs, id_hash, account FROM messages WHERE id = ?'
const UPDATE_REFS = 'UPDATE messages SET refs = refs + ? WHERE id = ?'
const DELETE_MESSAGE = 'DELETE FROM messages WHERE id = ?'
const DELETE_THREAD = 'DELETE FROM thread_ids WHERE account = ? AND hash = ? AND message = ?'
const SET_BODY_REFS = 'UPDATE bodies SET refs = ? WHERE id = ?'
const SELECT_BODY_REFS = 'SELECT refs, file FROM bodies WHERE id = ?'
const UPDATE_BODY_REFS = 'UPDATE bodies SET refs = refs + ? WHERE id = ?'
const DELETE_BODY = 'DELETE FROM bodies WHERE id = ?'
const DELETE_TEXT = 'DELETE FROM texts WHERE body = ?'

/** A body in its row, and what its messages need of it. */
export interface StoredBody {
  readonly id: number
  readonly size: number
  readonly idHash: number | null
  readonly referenceHashes: readonly number[]
}

/** @param refs how many messages and queue items will name it. */
export function insertBody(
  context: Context,
  row: BodyRow,
  blobs: readonly Uint8Array[],
  refs: number,
): StoredBody {
  const id = context.state.next('body')
  const blob = (index: number): Uint8Array => blobs[row.blob + index] as Uint8Array
  const columns = [id, refs, row.size, row.crc, row.headerSize, row.sentDay, row.file]
  context.sql.run(INSERT_BODY, ...columns, blob(0), blob(1), blob(2), blob(3), blob(4), blob(5))
  if (row.file === null) context.sql.run(INSERT_TEXT, id, blob(6))
  return {
    id,
    size: row.size,
    idHash: row.messageId === null ? null : hashId(row.messageId),
    referenceHashes: row.references.slice(-THREAD_REFERENCES).map(hashId),
  }
}

/** One account's message of a body: its EMAILID and THREADID are fixed here (rfc8474 §5). */
export function insertMessage(
  context: Context,
  message: {
    readonly account: number
    readonly body: StoredBody
    readonly arrivedMs: number
    readonly zone: number
  },
): number {
  const { sql, state } = context
  const { account, body } = message
  const id = state.next('message')
  const thread = findThread(sql, account, body) ?? id
  sql.run(
    INSERT_MESSAGE,
    id,
    account,
    body.id,
    thread,
    body.size,
    message.arrivedMs,
    message.zone,
    body.idHash,
  )
  if (body.idHash !== null) sql.run(INSERT_THREAD, account, body.idHash, thread, id)
  return id
}

export function addMessageRef(sql: Sql, message: number): void {
  sql.run(UPDATE_REFS, 1, message)
}

/** Takes one reference away; the last one takes the message along, and maybe its body. */
export function dropMessageRef(context: Context, message: number): void {
  const { sql } = context
  const row = sql.get(SELECT_REFS, message) as [number, number, number | null, number] | undefined
  if (row === undefined) return
  const [body, refs, idHash, account] = row
  if (refs > 1) {
    sql.run(UPDATE_REFS, -1, message)
    return
  }
  sql.run(DELETE_MESSAGE, message)
  if (idHash !== null) sql.run(DELETE_THREAD, account, idHash, message)
  dropBodyRef(context, body)
}

/** The one reference of a held message becomes those of what its release makes. */
export function setBodyRefs(sql: Sql, body: number, refs: number): void {
  sql.run(SET_BODY_REFS, refs, body)
}

export function dropBodyRef(context: Context, body: number): void {
  const { sql } = context
  const row = sql.get(SELECT_BODY_REFS, body) as [number, string | null] | undefined
  if (row === undefined) return
  const [refs, file] = row
  if (refs > 1) {
    sql.run(UPDATE_BODY_REFS, -1, body)
    return
  }
  sql.run(DELETE_BODY, body)
  sql.run(DELETE_TEXT, body)
  if (file !== null) context.files.push(file)
}

/** The thread of the nearest message that this one answers, else of one with the same Message-ID. */
function findThread(sql: Sql, account: number, body: StoredBody): number | undefined {
  const hashes = body.idHash === null ? body.referenceHashes : [body.idHash, ...body.referenceHashes]
  for (const one of [...hashes].reverse()) {
    const row = sql.get(SELECT_THREAD, account, one)
    if (row !== undefined) return row[0] as number
  }
  return undefined
}

/** 48 bits of SHA-256: nobody can make a message join another's thread but by naming it. */
export function hashId(messageId: string): number {
  return hash('sha256', messageId, 'buffer').readUIntBE(0, 6)
}
