import { assert } from '../mail/assert.ts'
import type { ScramKeys } from '../ports/accounts.ts'
import type { Hasher } from '../ports/credentials.ts'
import type { HasherResult, HasherTask } from './hasher-task.ts'
import { WorkerPool, workerScript } from './workers.ts'

/** Hashes passwords on threads of their own: 20 ms and 19 MiB each would hold up everybody's mail. */
export class ThreadedHasher implements Hasher {
  readonly #pool: WorkerPool<HasherTask, HasherResult>

  constructor(options: { readonly threads: number; readonly maxWaiting?: number | undefined }) {
    const script = workerScript('hasher-worker', import.meta.url)
    this.#pool = new WorkerPool({ script, size: options.threads, maxWaiting: options.maxWaiting })
  }

  async argon2id(password: string, salt: Uint8Array): Promise<string> {
    const phc = await this.#pool.run({ kind: 'argon2id', password, salt })
    assert(typeof phc === 'string', 'argon2id gives a PHC string')
    return phc
  }

  async matchArgon2id(phcs: readonly string[], password: string): Promise<number | undefined> {
    const index = await this.#pool.run({ kind: 'match', phcs, password })
    assert(index === undefined || typeof index === 'number', 'match gives an index')
    return index
  }

  async scramKeys(
    password: string,
    how: Pick<ScramKeys, 'hash' | 'salt' | 'iterations'>,
  ): Promise<ScramKeys> {
    const keys = await this.#pool.run({ kind: 'scram', password, how })
    assert(typeof keys === 'object', 'scram gives keys')
    return keys
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}
