import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../mail/assert.ts'
import { threadPort, type WriterData } from './threads.ts'
import { runWriter } from './writer/thread.ts'

assert(parentPort !== null, 'writer-thread.ts runs as a worker')
runWriter(threadPort(parentPort), workerData as WriterData)
