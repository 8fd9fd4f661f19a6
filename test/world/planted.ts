import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename, dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { QueueStore } from '../../src/ports/queue.ts'
import type { Intake } from '../../src/ports/store.ts'
import { override } from './override.ts'

/* Bugs on purpose, to see that a world finds them: each is a kind of mistake that such a server could have. */

export const PLANTS = [
  /** 250 before the commit. */
  'acknowledge-early',
  /** An EXPUNGE that the views are never told of. */
  'forget-expunge',
  /** UIDs of expunged messages are given again after a crash. */
  'reuse-uids',
  /** A delivery that the queue does not note: it goes again. */
  'forget-outcome',
  /** A report that is noted as sent and never was. */
  'drop-report',
  /** A body that loses its last octets. */
  'cut-body',
  /** A change of flags that never reaches the other sessions. */
  'forget-flags',
  /** A body file that stays when nothing names it any more. */
  'keep-files',
] as const

export type Planted = (typeof PLANTS)[number]

/** The returned function undoes it. */
export function spoilFiles(planted: Planted | undefined): () => void {
  if (planted !== 'keep-files') return () => undefined
  const { rmSync } = fs
  fs.rmSync = (path, options) => {
    if (basename(dirname(String(path))) !== 'bodies') rmSync(path, options)
  }
  syncBuiltinESMExports()
  return () => {
    fs.rmSync = rmSync
    syncBuiltinESMExports()
  }
}

export function spoilIntake(planted: Planted | undefined, intake: Intake): Intake {
  if (planted !== 'acknowledge-early' && planted !== 'cut-body') return intake
  return override(intake, {
    body: (maxBytes) => {
      const writer = intake.body(maxBytes)
      if (planted !== 'cut-body') return writer
      return override(writer, {
        write: (chunk) => writer.write(chunk.length > 150 ? chunk.subarray(0, chunk.length - 2) : chunk),
      })
    },
    accept: (message) => {
      const accepted = intake.accept(message)
      return planted === 'acknowledge-early' ? Promise.resolve({ ok: true, value: [] }) : accepted
    },
  })
}

export function spoilQueue(planted: Planted | undefined, queue: QueueStore): QueueStore {
  if (planted !== 'forget-outcome' && planted !== 'drop-report') return queue
  let records = 0
  return override(queue, {
    record: (result) => {
      if (planted === 'drop-report') return queue.record({ ...result, dsn: undefined })
      return ++records % 5 === 0 ? Promise.resolve({ ok: true, value: undefined }) : queue.record(result)
    },
  })
}

/** @param text a report of the writer: results and events. */
export function spoilReport(planted: Planted | undefined, text: string): string {
  const event = planted === 'forget-expunge' ? 'expunged' : planted === 'forget-flags' ? 'flags' : undefined
  if (event === undefined) return text
  const [results, events] = JSON.parse(text) as [unknown, { readonly e: string }[]]
  return JSON.stringify([results, events.filter(({ e }) => e !== event)])
}

export function spoilAfterCrash(planted: Planted | undefined, database: string): void {
  if (planted !== 'reuse-uids') return
  const db = new DatabaseSync(database)
  db.exec(
    'UPDATE mailboxes SET uidnext = 1 + coalesce((SELECT max(uid) FROM entries WHERE mailbox = mailboxes.id), 0)',
  )
  db.close()
}
