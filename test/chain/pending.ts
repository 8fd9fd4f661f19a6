import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'

/** What is known to fail is skipped with its reason, and fails once it passes: the reason is outdated then. */
export async function unlessPending(
  t: TestContext,
  { pending }: { readonly pending?: string | undefined },
  work: () => Promise<void>,
): Promise<void> {
  if (pending === undefined) return await work()
  const passed = await work().then(
    () => true,
    () => false,
  )
  assert.ok(!passed, `it passes: take away "pending: ${pending}"`)
  t.skip(pending)
}
