import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { dkimKey } from './dkim-file.ts'
import { type Generation, selectorOf } from './dkim-generation.ts'
import { DKIM_RSA_BITS } from './limits.ts'

const generate = promisify(generateKeyPair)

/** New keys of both algorithms (rfc8463 §3: whoever knows no Ed25519 has the other). An RSA key takes some 100 ms of a thread of Node's pool. */
export async function makeGeneration(name: string, nowMs: number): Promise<Generation> {
  const [rsa, ed25519] = await Promise.all([
    generate('rsa', { modulusLength: DKIM_RSA_BITS }),
    generate('ed25519'),
  ])
  return {
    name,
    state: 'waiting',
    madeAtMs: nowMs,
    keys: [
      dkimKey(rsa.privateKey, selectorOf(name, 'rsa-sha256'), 'rsa-sha256'),
      dkimKey(ed25519.privateKey, selectorOf(name, 'ed25519-sha256'), 'ed25519-sha256'),
    ],
  }
}
