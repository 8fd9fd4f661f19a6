import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { accessOf, aHold, Bench, mail } from '../contract/bench.test-kit.ts'
import { assertIntegrity } from './integrity.test-kit.ts'
import { SCHEMA_VERSION, schemaVersion } from './migrate.ts'
import { FIRST_SCHEMA } from './migrations/0001-first.ts'
import { openAt } from './open.test-kit.ts'

test('a data folder of the first schema is brought up to date, with its accounts and mail', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hikyaku-migrate-'))
  try {
    await firstStore(folder)
    const store = await openAt(folder)
    const found = await store.accounts.findAccount('anna@example.test')
    assert(found !== undefined)
    assert.equal(found.language, undefined)
    const bench = new Bench({ store, reopen: async () => store, dispose: async () => {} })
    const anna = accessOf(found.id)
    const view = await bench.view(anna)
    assert.equal((await bench.octets(anna, view, 1)).toString(), mail('old'))
    view.close()
    // What is new works on what was there.
    const message = await bench.message(mail('held'), [anna], { hold: aHold() })
    assert((await store.intake.accept(message)).ok)
    assert((await store.quarantine.release(message.traceId, { by: 'operator', nowMs: 5 }))?.ok)
    await store.trust.add({ key: { kind: 'dkim', domain: 'list.test' }, addedAtMs: 1 })
    assert((await store.accounts.setLanguage('anna@example.test', 'ja')).ok)
    await store.close()
    assertIntegrity(folder)
    const db = new DatabaseSync(join(folder, 'hikyaku.db'), { readOnly: true })
    assert.equal(schemaVersion(db), SCHEMA_VERSION)
    db.close()
  } finally {
    await rm(folder, { recursive: true })
  }
})

/** Rows of the first schema's tables alone, in a database that the first schema made. */
async function firstStore(folder: string): Promise<void> {
  const store = await openAt(folder)
  const bench = new Bench({ store, reopen: async () => store, dispose: async () => {} })
  await bench.deliver(mail('old'), await bench.account('anna@example.test'))
  await store.close()
  const path = join(folder, 'hikyaku.db')
  const old = join(folder, 'old.db')
  const first = new DatabaseSync(old)
  first.exec(FIRST_SCHEMA)
  first.exec(`ATTACH '${path}' AS new`)
  const tables = first.prepare(`SELECT name FROM main.sqlite_schema WHERE type = 'table'`).all()
  for (const { name } of tables) {
    const columns = first
      .prepare(`SELECT group_concat(name) AS names FROM pragma_table_info('${name}')`)
      .get()
    first.exec(`DELETE FROM main.${name}`)
    first.exec(`INSERT INTO main.${name} SELECT ${columns?.names} FROM new.${name}`)
  }
  first.exec('PRAGMA user_version = 1')
  first.close()
  for (const end of ['', '-wal', '-shm']) await rm(path + end, { force: true })
  const db = new DatabaseSync(old)
  db.exec(`VACUUM INTO '${path}'`)
  db.close()
  await rm(old)
  await chmod(path, 0o600)
}
