import { parentPort } from 'node:worker_threads'
import { assert } from '../../mail/assert.ts'
import { systemClock } from '../../platform/clock.ts'
import { makeEngine } from './make-engine.ts'
import { serveJobs } from './thread-serve.ts'

/* A thread that authenticates mail. */

assert(parentPort !== null, 'this file is a thread')
serveJobs(parentPort, makeEngine(systemClock()))
