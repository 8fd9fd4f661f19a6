import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { bodyPath } from '../body-files.ts'
import type { FolderPaths } from '../folder.ts'
import { sqliteFault } from '../sql.ts'
import type { CheckDatabase, Row } from './check-database.ts'
import { type CheckStep, type Collector, type Found, joinPlaces, locate } from './collector.ts'
import { BODY_SLICE } from './limits.ts'

/** Nobody but the server's own user reads mail. */
const OTHERS = 0o077
const BODY_NAME = /^[0-9a-f]{32}$/

/**
 * Files and folders: whose they are, and whether a row names each.
 * @returns how many were looked at.
 */
export function* checkFiles(
  db: CheckDatabase,
  collector: Collector,
  paths: FolderPaths,
  { serving, deep }: { readonly serving: boolean; readonly deep: boolean },
): Generator<CheckStep, number> {
  const owner = statSync(paths.folder).uid
  for (const path of [paths.folder, paths.bodies]) yield* checkMode(collector, paths, path, owner)
  for (const suffix of ['', '-wal', '-shm'])
    yield* checkMode(collector, paths, paths.database + suffix, owner)
  if (!deep) yield* checkSizes(db, collector, paths.bodies)
  return yield* checkFolder(db, collector, paths, { serving, owner })
}

function* checkFolder(
  db: CheckDatabase,
  collector: Collector,
  paths: FolderPaths,
  { serving, owner }: { readonly serving: boolean; readonly owner: number },
): Generator<CheckStep, number> {
  if (statOf(paths.bodies)?.isDirectory() !== true) {
    yield* collector.found({
      kind: 'file-missing',
      where: { file: 'bodies' },
      says: 'the folder with the contents of large messages is not there',
      advice: 'restore it from a backup; the next start makes an empty one',
    })
    return 0
  }
  const names = readdirSync(paths.bodies)
  // While mail flows a file without a row is most likely one whose message is on its way in.
  const named = serving ? undefined : namedFiles(db)
  for (const [index, name] of names.entries()) {
    if (index % BODY_SLICE === 0) yield { kind: 'progress', phase: 'files', done: index, of: names.length }
    yield* checkMode(collector, paths, bodyPath(paths.bodies, name), owner)
    const isBody = BODY_NAME.test(name)
    if (isBody && (named === undefined || named(name))) continue
    yield* collector.found({
      kind: 'file-stray',
      where: { file: `bodies/${name}` },
      says: isBody
        ? 'no message has this file: its message never was acknowledged, or its row is lost'
        : 'this is no file of a message',
      repairable: !serving,
      advice:
        'nothing needs to be done: the next start removes files of messages that never were acknowledged',
    })
  }
  return names.length
}

/**
 * Whether a row names a file, by the table itself: an index that has lost a row would make a message's file look like
 * a stray one. undefined where the table cannot be read: then nothing is known of strays.
 */
function namedFiles(db: CheckDatabase): ((name: string) => boolean) | undefined {
  try {
    db.db.exec('CREATE TEMP TABLE IF NOT EXISTS named (file TEXT PRIMARY KEY) WITHOUT ROWID')
    db.db.exec('DELETE FROM temp.named')
    db.db.exec('INSERT OR IGNORE INTO temp.named SELECT file FROM bodies NOT INDEXED WHERE file IS NOT NULL')
  } catch (error) {
    if (sqliteFault(error) === undefined) throw error
    return undefined
  }
  return (name) => db.row('SELECT 1 FROM temp.named WHERE file = $name', { name }) !== undefined
}

/** Without reading their octets: files are there and as long as their rows say. */
function* checkSizes(db: CheckDatabase, collector: Collector, bodies: string): Generator<CheckStep, void> {
  let at = 0
  for (let rows = filesAfter(db, at); rows.length > 0; rows = filesAfter(db, at)) {
    at = Number(rows.at(-1)?.id)
    const found = rows.flatMap((row) => judgeSize(db, row, bodies) ?? [])
    const places = locate(
      db,
      'body',
      found.map(({ where }) => Number(where.row)),
    )
    for (const one of found)
      yield* collector.found({ ...one, where: joinPlaces(one.where, places.get(one.where.row ?? '')) })
  }
}

const FILES_AFTER = `SELECT id, file, size, octet_length(prefix) AS prefix FROM bodies
  WHERE id > $at AND file IS NOT NULL ORDER BY id LIMIT $limit`

function filesAfter(db: CheckDatabase, at: number): readonly Row[] {
  try {
    return [...db.rows(FILES_AFTER, { at, limit: BODY_SLICE })]
  } catch (error) {
    if (sqliteFault(error) === undefined) throw error
    // Told with the rows already.
    return []
  }
}

function judgeSize(db: CheckDatabase, row: Row, bodies: string): Found | undefined {
  const name = String(row.file)
  if (!BODY_NAME.test(name)) return undefined
  const where = { table: 'bodies', row: String(row.id), file: `bodies/${name}` }
  const stat = statOf(bodyPath(bodies, name))
  const size = stat === undefined ? undefined : stat.size + Number(row.prefix)
  if (size === row.size) return undefined
  // It may have been deleted since its row was read.
  if (db.row('SELECT 1 FROM bodies WHERE id = $id', { id: row.id ?? null }) === undefined) return undefined
  if (size === undefined)
    return {
      kind: 'file-missing',
      where,
      says: 'the file with the content of the message is not there',
      advice: 'restore the file from a backup, or expunge the message; the others are not concerned',
    }
  return {
    kind: 'body-size',
    where,
    says: `it is said to have ${String(row.size)} octets, and has ${size}`,
    advice: 'check without --quick, which reads the octets',
  }
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}

function* checkMode(
  collector: Collector,
  paths: FolderPaths,
  path: string,
  owner: number,
): Generator<CheckStep, void> {
  const stat = statOf(path)
  if (stat === undefined) return
  const where = { file: path === paths.folder ? path : path.slice(paths.folder.length + 1) }
  if (!stat.isFile() && !stat.isDirectory())
    yield* collector.found({
      kind: 'file-type',
      where,
      says: 'it is neither a file nor a folder',
      advice: 'put the file itself in its place: a link or a device is not safe there',
    })
  else if ((stat.mode & OTHERS) !== 0)
    yield* collector.found({
      kind: 'file-mode',
      where,
      says: `others than its owner may read or change it (mode ${(stat.mode & 0o777).toString(8)})`,
      repairable: true,
    })
  if (stat.uid !== owner)
    yield* collector.found({
      kind: 'file-owner',
      where,
      says: `it belongs to user ${stat.uid}, and the data folder to ${owner}`,
      advice: `give it to that user: chown ${owner} ${join(paths.folder, where.file)}`,
    })
}
