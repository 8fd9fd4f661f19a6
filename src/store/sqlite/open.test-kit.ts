import assert from 'node:assert/strict'
import { openStore, type Store, type StoreOptions } from './open.ts'
import type { WriterHooks } from './writer-client.ts'

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

/** For a writer without a store around it, of which nothing but answers is expected. */
export const quietWriter: WriterHooks = {
  onEvents: () => undefined,
  onFault: (cause) => assert.fail(cause),
  onNote: (text) => assert.fail(text),
  onMistrust: (cause) => assert.fail(cause),
  onCheckpoint: () => undefined,
}
