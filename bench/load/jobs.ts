// What a load process can be asked to do, and what it answers.

import { type EchoDone, type EchoJob, runEcho } from './echo.ts'
import { type EvaluateDone, type EvaluateJob, runEvaluate } from './evaluate.ts'
import { type IdleDone, type IdleJob, runIdle } from './idle.ts'
import type { AppendJob, LoginsJob, ScriptDone, ScriptJob } from './imap.ts'
import { runAppend, runLogins, runScript } from './imap.ts'
import { runSmtp, type SmtpDone, type SmtpJob } from './smtp.ts'

export type Job = SmtpJob | AppendJob | LoginsJob | ScriptJob | IdleJob | EchoJob | EvaluateJob

export type Done = SmtpDone | ScriptDone | IdleDone | EchoDone | EvaluateDone

export type DoneOf<J extends Job> = J extends ScriptJob
  ? ScriptDone
  : J extends IdleJob
    ? IdleDone
    : J extends EchoJob
      ? EchoDone
      : J extends EvaluateJob
        ? EvaluateDone
        : SmtpDone

/** Does one job. `whenOpen` is asked when an idle load stands. */
export function runJob(job: Job, whenOpen: (connections: number) => Promise<void>): Promise<Done> {
  switch (job.kind) {
    case 'smtp':
      return runSmtp(job)
    case 'append':
      return runAppend(job)
    case 'logins':
      return runLogins(job)
    case 'script':
      return runScript(job)
    case 'idle':
      return runIdle(job, whenOpen)
    case 'echo':
      return runEcho(job)
    case 'evaluate':
      return runEvaluate(job)
  }
}
