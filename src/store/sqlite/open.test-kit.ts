import assert from 'node:assert/strict'
import { openStore, type Store, type StoreOptions } from './open.ts'

/** Opens a folder as a test's server would, with `example.test` as its domain; a fault of the store fails the test. */
export async function openAt(folder: string, over: Partial<StoreOptions> = {}): Promise<Store> {
  const opened = await openStore({
    folder,
    directory: { domains: ['example.test'], separator: '+' },
    now: () => Date.now(),
    onFault: (cause) => assert.fail(`store fault: ${cause}`),
    ...over,
  })
  assert(opened.ok, opened.ok ? '' : opened.error.problem)
  return opened.store
}
