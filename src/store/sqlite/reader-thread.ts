import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../mail/assert.ts'
import { runReader } from './reader/thread.ts'
import { type ReaderData, threadPort } from './threads.ts'

assert(parentPort !== null, 'reader-thread.ts runs as a worker')
runReader(threadPort(parentPort), workerData as ReaderData)
