import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../../mail/assert.ts'
import { checkSteps } from './check.ts'
import type { CheckData, FromCheck } from './check-folder.ts'
import { PROGRESS_EVERY_MS } from './limits.ts'
import { type RepairStep, repairSteps } from './repair.ts'

/** Runs the check to its end, or until somebody asks it to stop: that is looked at between two steps. */
function run(port: MessagePort, data: CheckData): void {
  const stop = new Int32Array(data.stop)
  const post = (message: FromCheck): void => port.postMessage(message)
  let toldMs = Number.NEGATIVE_INFINITY
  let phase: string | undefined
  const tell = (step: RepairStep): void => {
    if (step.kind === 'progress') {
      const nowMs = performance.now()
      if (step.phase === phase && nowMs - toldMs < PROGRESS_EVERY_MS) return
      phase = step.phase
      toldMs = nowMs
    }
    post({ kind: 'step', step })
  }
  const { deep, folder, serving, work } = data
  const steps = work === 'repair' ? repairSteps(folder, { deep }) : checkSteps(folder, { deep, serving })
  for (;;) {
    if (Atomics.load(stop, 0) !== 0) {
      steps.return(undefined as never)
      post({ kind: 'end', outcome: { kind: 'stopped' } })
      break
    }
    const step = steps.next()
    if (step.done !== true) {
      tell(step.value)
      continue
    }
    const result = step.value
    if (!result.ok) post({ kind: 'end', outcome: { kind: 'failed', problem: result.problem } })
    else if ('report' in result) post({ kind: 'end', outcome: { kind: 'checked', report: result.report } })
    else post({ kind: 'end', outcome: { kind: 'repaired', repaired: result.repaired } })
    break
  }
  port.close()
}

assert(parentPort !== null, 'check-thread.ts runs as a worker')
run(parentPort, workerData as CheckData)
