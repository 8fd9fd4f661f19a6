import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import type { Progress } from '../../../ports/progress.ts'
import { isBodyName } from '../body-files.ts'
import { folderPaths } from '../folder.ts'
import { PageImage } from '../pages/image.ts'
import { describeError } from '../sql.ts'
import { BodyReader } from './body-reader.ts'
import { Boxes, LOST_AND_FOUND } from './boxes.ts'
import { Catalog } from './catalog.ts'
import { collectRows } from './collect.ts'
import { salvageMail, salvageStrays } from './mail.ts'
import { momentText } from './moment.ts'
import { Output } from './output.ts'
import { ownerOf } from './owner.ts'
import { salvageQuarantine } from './quarantine.ts'
import { salvageQueue } from './queue.ts'
import { type Counts, Report } from './report.ts'

export type SalvageResult =
  | { readonly ok: true; readonly counts: Counts; readonly lines: readonly string[] }
  /** A sentence for the operator. */
  | { readonly ok: false; readonly sentence: string }

/** Messages written before the operator is told how far it has come. */
const PROGRESS_MESSAGES = 1000

/**
 * Takes every message that can be read out of a data folder, or a backup, however damaged, into a new folder. The data
 * folder is only read. Ctrl-C removes what was made.
 * @param request.sync how files are made durable; for tests.
 */
export async function salvage(
  request: {
    readonly folder: string
    readonly out: string
    readonly sync?: ((descriptor: number) => void) | undefined
  },
  progress: Progress,
): Promise<SalvageResult> {
  const folder = resolve(request.folder)
  const out = resolve(request.out)
  const problem = problemOf(folder, out)
  if (problem !== undefined) return { ok: false, sentence: problem }
  const output = new Output(out, request.sync)
  try {
    const done = await run({ folder, output, progress })
    output.finish()
    return {
      ok: true,
      counts: done.counts,
      lines: [...done.lines, `All is in ${out}; begin with REPORT.txt.`],
    }
  } catch (error) {
    output.drop()
    if (error instanceof Stopped) return { ok: false, sentence: 'Stopped; what was made is removed again.' }
    return {
      ok: false,
      sentence: `Salvage into ${out} failed, nothing of it was kept: ${describeError(error)}.`,
    }
  }
}

class Stopped extends Error {}

function problemOf(folder: string, out: string): string | undefined {
  const { database } = folderPaths(folder)
  if (!existsSync(database) && !existsSync(join(folder, 'bodies')))
    return `${folder} is no data folder: there is neither hikyaku.db nor bodies/ in it; name the right one with --folder (of a backup it is the folder data/ in it).`
  const owner = ownerOf(folder)
  if (owner !== undefined) return `${folder} is in use by ${owner}: stop the server first.`
  if (isWithin(out, folder))
    return `${out} lies within ${folder}, which is not written to: name a place elsewhere, best on another disk.`
  if (existsSync(out)) return `${out} is there already: name a folder that is not.`
  if (existsSync(`${out}.partial`))
    return `${out}.partial is left of a salvage that did not end: remove it, or name another folder.`
  if (!existsSync(dirname(out))) return `${dirname(out)} is not there: make it first, or name another folder.`
  return undefined
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way === '' || (!way.startsWith('..') && !way.startsWith('/'))
}

async function run(parts: {
  readonly folder: string
  readonly output: Output
  readonly progress: Progress
}): Promise<{ readonly counts: Counts; readonly lines: readonly string[] }> {
  const { folder, output, progress } = parts
  const { bodies, database } = folderPaths(folder)
  const say = async (text: string): Promise<void> => {
    const isRead = await progress.line(text)
    await new Promise((later) => setImmediate(later))
    if (!isRead || progress.signal.aborted) throw new Stopped()
  }
  const image = PageImage.open(database)
  const catalog = new Catalog(output.scratch('catalog.db'))
  try {
    const damage = await collectRows(image, catalog, say)
    const boxes = new Boxes(catalog, output)
    const report = new Report(output)
    const reader = new BodyReader({ image, catalog, bodies })
    const tell = counted(say)
    const all = { catalog, reader, boxes, output, report, tell }
    writeLists(all)
    await salvageMail(all)
    await salvageQueue(all)
    await salvageQuarantine(all)
    await salvageStrays(all, unknownFiles(catalog, bodies))
    return { counts: report.counts, lines: report.finish(damage, folder) }
  } finally {
    catalog.close()
    image.close()
  }
}

function counted(say: (text: string) => Promise<void>): () => Promise<void> {
  let count = 0
  return async () => {
    if (++count % PROGRESS_MESSAGES === 0) await say(`${count} messages`)
  }
}

function writeLists({
  boxes,
  catalog,
  output,
}: {
  readonly boxes: Boxes
  readonly catalog: Catalog
  readonly output: Output
}): void {
  const accounts = output.list('accounts.tsv', 'login', 'created', 'quota', 'disabled')
  for (const row of catalog.rows('SELECT login, created_ms, quota, disabled FROM accounts ORDER BY login')) {
    const [login, createdMs, quota, disabled] = row as readonly [string, number, number | null, number]
    accounts.add(login, momentText(createdMs), quota, disabled === 0 ? 'no' : 'yes')
  }
  accounts.close()
  const aliases = output.list('aliases.tsv', 'alias', 'targets')
  for (const row of catalog.rows('SELECT alias, targets FROM aliases'))
    aliases.add(...(row as [string, string]))
  aliases.close()
  const mailboxes = output.list('mailboxes.tsv', 'account', 'mailbox', 'folder')
  for (const [, box] of boxes.all) {
    mailboxes.add(box.account.login, box.name, boxes.maildir(box, true))
  }
  mailboxes.close()
  for (const part of ['cur', 'new', 'tmp']) output.folder(`${LOST_AND_FOUND}/Maildir/${part}`)
}

/** Body files that no row names. */
function* unknownFiles(catalog: Catalog, bodies: string): Generator<string, void> {
  if (!existsSync(bodies)) return
  for (const name of readdirSync(bodies))
    if (isBodyName(name) && catalog.sql.get('SELECT 1 FROM files WHERE name = ?', name) === undefined)
      yield name
}
