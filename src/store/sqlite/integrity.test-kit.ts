import assert from 'node:assert/strict'
import { checkNow } from './check/check.ts'

/** Fails where `hikyaku check` would find anything. The store may be open and at work. */
export function assertIntegrity(folder: string): void {
  const result = checkNow(folder, { deep: true, serving: true })
  assert(result.ok, result.ok ? '' : result.problem)
  assert.deepEqual(
    result.findings.map(({ kind, sentence }) => `${kind}: ${sentence}`),
    [],
  )
}
