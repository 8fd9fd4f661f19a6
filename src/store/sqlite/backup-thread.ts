import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../mail/assert.ts'
import { runBackup } from './backup/run.ts'
import type { BackupData } from './backup/task.ts'
import { threadPort } from './threads.ts'

assert(parentPort !== null, 'backup-thread.ts runs as a worker')
void runBackup(threadPort(parentPort), workerData as BackupData)
