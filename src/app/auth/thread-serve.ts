import type { MessagePort } from 'node:worker_threads'
import type { ReadableContent } from '../../ports/mail-auth.ts'
import { Batch } from './batch.ts'
import type { Engine } from './engine.ts'
import type { FromThread, Task, TaskResult, ToThread } from './messages.ts'
import { causeOf } from './thread-cause.ts'
import { Readings } from './thread-content.ts'
import { Questions, ThreadResolver } from './thread-resolver.ts'

type JobMessage = Extract<ToThread, { kind: 'job' }>

/** A thread's side of the work: takes jobs from the port, lets the engine compute them, many at once while they wait. */
export function serveJobs(port: MessagePort, engine: Engine): void {
  const batch = new Batch<FromThread>(port as { postMessage(value: unknown, transfer: never): void })
  const readings = new Readings(batch)
  const questions = new Questions(batch)
  const running = new Map<number, ThreadResolver>()
  port.on('message', (messages: readonly ToThread[]) => {
    for (const message of messages) take(message)
  })

  function take(message: ToThread): void {
    if (message.kind === 'job') {
      void work(message, readings.content(message.job, message.content))
    } else if (message.kind === 'answer') questions.answered(message.ask, message.answer)
    else if (message.kind === 'piece') readings.piece(message.reading, message.octets)
    else if (message.kind === 'end') readings.piece(message.reading, 'end')
    else if (message.kind === 'drop') drop(message.job)
    else batch.say({ kind: 'pong' })
  }

  function drop(job: number): void {
    const dns = running.get(job)
    if (dns === undefined) return
    dns.drop()
    readings.drop(job)
  }

  async function work({ job, task, known }: JobMessage, content: ReadableContent): Promise<void> {
    const dns = new ThreadResolver(job, questions, known)
    running.set(job, dns)
    try {
      batch.say({ kind: 'done', job, result: await compute(engine, task, content, dns) })
    } catch (error) {
      // A private key is at hand where something is signed or sealed.
      const tellsMessage = task.kind === 'evaluate' && task.sealWith === undefined
      batch.say({ kind: 'failed', job, cause: causeOf(error, { tellsMessage }) })
    } finally {
      running.delete(job)
      readings.forget(job)
    }
  }
}

function compute(
  engine: Engine,
  task: Task,
  content: ReadableContent,
  dns: ThreadResolver,
): Promise<TaskResult> {
  return task.kind === 'evaluate'
    ? engine.evaluate(content, task.facts, { dns, sealWith: task.sealWith })
    : engine.sign(content, task.added, task.keys)
}
