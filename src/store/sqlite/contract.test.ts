import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Implementation } from '../contract/bench.test-kit.ts'
import { storeContract } from '../contract.test-kit.ts'
import { assertIntegrity } from './integrity.test-kit.ts'
import { openStore, type Store } from './open.ts'

async function openAt(folder: string): Promise<Store> {
  const opened = await openStore({
    folder,
    directory: { domains: ['example.test', 'second.test'], separator: '+' },
    now: () => Date.now(),
    onFault: (cause) => assert.fail(`store fault: ${cause}`),
  })
  assert(opened.ok, opened.ok ? '' : opened.error.problem)
  return opened.store
}

const sqlite: Implementation = {
  name: 'sqlite',
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'hikyaku-store-'))
    let store = await openAt(folder)
    return {
      store,
      async reopen() {
        await store.close()
        store = await openAt(folder)
        return store
      },
      async dispose() {
        await store.close()
        assertIntegrity(folder)
        await rm(folder, { recursive: true })
      },
    }
  },
}

storeContract(sqlite)
