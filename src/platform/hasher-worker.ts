import { parentPort } from 'node:worker_threads'
import { deriveScramKeys, hashArgon2id, matchArgon2id } from '../protocol/sasl/password-hash.ts'
import type { HasherResult, HasherTask } from './hasher-task.ts'
import type { WorkerReply } from './workers.ts'

/** A thread that hashes passwords. Synchronous on purpose: Node's asynchronous forms share four threads with file reads. */
parentPort?.on('message', (task: HasherTask) => {
  let reply: WorkerReply<HasherResult>
  try {
    reply = { ok: true, value: compute(task) }
  } catch (error) {
    // Never the password: the messages of these functions name what is wrong, not with what.
    reply = { ok: false, cause: error instanceof Error ? error.message : String(error) }
  }
  parentPort?.postMessage(reply)
})

function compute(task: HasherTask): HasherResult {
  switch (task.kind) {
    case 'argon2id':
      return hashArgon2id(task.password, { salt: task.salt })
    case 'match':
      return matchArgon2id(task.phcs, task.password)
    case 'scram':
      return deriveScramKeys(task.password, task.how)
  }
}
