import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Implementation } from '../contract/bench.test-kit.ts'
import { storeContract } from '../contract.test-kit.ts'
import { assertIntegrity } from './integrity.test-kit.ts'
import { openAt } from './open.test-kit.ts'

const open = (folder: string) =>
  openAt(folder, { directory: { domains: ['example.test', 'second.test'], separator: '+' } })

const sqlite: Implementation = {
  name: 'sqlite',
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'hikyaku-store-'))
    let store = await open(folder)
    return {
      store,
      async reopen() {
        await store.close()
        store = await open(folder)
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
