import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../mail/assert.ts'
import { runCheckpoints } from './checkpoint/thread.ts'
import { type ReaderData, threadPort } from './threads.ts'

assert(parentPort !== null, 'checkpoint-thread.ts runs as a worker')
runCheckpoints(threadPort(parentPort), workerData as ReaderData)
