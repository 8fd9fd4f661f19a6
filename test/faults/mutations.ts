// Servers with a planted mistake, to prove that the proofs can fail.

import { join } from 'node:path'

/** The environment of a server whose source is changed in one place; mutate.ts has the list. */
export function mutated(name: string): Readonly<Record<string, string>> {
  return {
    NODE_OPTIONS: `--import=${join(import.meta.dirname, 'mutate.ts')}`,
    HIKYAKU_MUTATION: name,
    // The cache is keyed by path, and what is run here must not be taken for the real thing.
    NODE_DISABLE_COMPILE_CACHE: '1',
  }
}
