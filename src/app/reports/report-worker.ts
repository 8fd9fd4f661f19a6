import { parentPort } from 'node:worker_threads'
import {
  performReportTask,
  type ReportTask,
  type ReportTaskResult,
} from '../../mailauth/reports/worker-task.ts'
import type { WorkerReply } from '../../platform/workers.ts'

/** A thread that reads and composes reports. */
parentPort?.on('message', (task: ReportTask) => {
  let reply: WorkerReply<ReportTaskResult>
  try {
    reply = { ok: true, value: performReportTask(task) }
  } catch (error) {
    reply = { ok: false, cause: error instanceof Error ? error.message : String(error) }
  }
  parentPort?.postMessage(reply)
})
