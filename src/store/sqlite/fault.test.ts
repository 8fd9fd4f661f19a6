import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ownFolder, prepareDatabase } from './folder.ts'
import { openAt, quietWriter } from './open.test-kit.ts'
import { startThread } from './threads.ts'
import { WriterClient } from './writer-client.ts'

test('a store thread that dies acknowledges nothing more, and the server is told once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hikyaku-fault-'))
  try {
    const faults: string[] = []
    const store = await openAt(folder, { onFault: (cause) => faults.push(cause) })
    const made = await store.accounts.addAccount({ login: 'anna@example.test' })
    assert(made.ok)
    const access = { actor: { kind: 'system', what: 'test' }, owner: made.value.id } as const
    const writer = store.intake.body(1 << 30)
    await writer.write(Buffer.alloc(300_000))
    const large = await writer.finish()
    // No statement: the thread dies of it, as it would of a mistake in itself.
    store.limitPages('no number;' as never)
    const pending = await Promise.all(
      ['a', 'b'].map((name) => store.accounts.setAlias(`${name}@example.test`, ['anna@example.test'])),
    )
    assert.deepEqual(
      pending.map((one) => (one.ok ? 'ok' : one.error.kind)),
      ['io', 'io'],
    )
    assert(large.ok)
    const lost = await store.mailboxes.append(access, 'INBOX', [
      { body: large.value, flags: [], internalDateMs: 0, internalDateZoneMinutes: 0 },
    ])
    assert(!lost.ok && lost.error.kind === 'io')
    large.value.discard()
    const late = await store.accounts.setAlias('c@example.test', ['anna@example.test'])
    assert(!late.ok && late.error.kind === 'io')
    assert.equal(faults.length, 1)
    assert.match(faults[0] ?? '', /store thread/)
    await store.close()
    // Whether the commit was done before the thread died, only the next start can know.
    assert.equal((await readdir(join(folder, 'bodies'))).length, 1)
    const again = await openAt(folder)
    assert.deepEqual(await again.accounts.listAliases(), [])
    assert.equal(again.sweptBodies, 1)
    assert.equal((await again.accounts.listAccounts()).length, 1)
    await again.close()
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a thread that dies while it is closed leaves open what became of what it was doing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hikyaku-fault-'))
  try {
    const owned = ownFolder(folder)
    assert(owned.ok)
    assert.equal(prepareDatabase(owned.value.paths), undefined)
    const writer = new WriterClient(startThread, owned.value.paths, quietWriter)
    await writer.ready()
    const pending = writer.call({ op: 'remove-alias', alias: 'a@example.test' })
    writer.limitPages('no number;' as never)
    await writer.close()
    const outcome = await pending
    assert(!outcome.ok)
    assert.equal(outcome.refusal.kind, 'io', '"closed" says that nothing was stored: its body file would go')
    owned.value.release()
  } finally {
    await rm(folder, { recursive: true })
  }
})
