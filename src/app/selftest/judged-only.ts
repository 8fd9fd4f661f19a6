import type { PipelinePorts } from '../../pipeline/ports.ts'
import type { Directory } from '../../ports/directory.ts'
import type { Intake } from '../../ports/store.ts'
import { withPretended } from '../pretended-directory.ts'
import type { SelfTestRun } from './run.ts'

/**
 * The pipeline as it is, but that it knows no recipients but those of the run, judges whoever comes, and throws the
 * message away where it would be stored: of it only the trace remains. Reports count it not, and nothing is signed.
 */
export function judgedOnly(pipeline: PipelinePorts, run: SelfTestRun): PipelinePorts {
  return {
    ...pipeline,
    intake: thrownAway(pipeline.intake, run),
    directory: withPretended(emptyDirectory(run), (address) => run.isExpected(address)),
    signingKeys: { forDomain: () => Promise.resolve([]) },
    tally: undefined,
    reportReader: undefined,
    // It comes from this machine, which the settings exempt; and a door that is a backup server's too must judge it as anybody's.
    settings: () => {
      const settings = pipeline.settings()
      const policy = { ...settings.policy, exemptNetworks: [], secondaries: [] }
      return { ...settings, testDomain: undefined, policy }
    },
  }
}

function thrownAway(intake: Intake, run: SelfTestRun): Intake {
  return {
    room: (sizeBytes) => intake.room(sizeBytes),
    body: (maxBytes) => intake.body(maxBytes),
    accept({ traceId, trace, body }) {
      body.discard()
      const atMs = trace.at(-1)?.atMs ?? 0
      intake.trace(traceId, [...trace, { atMs, ...THROWN_AWAY }])
      run.note(traceId, trace)
      return Promise.resolve({ ok: true, value: [] })
    },
    trace(traceId, events) {
      intake.trace(traceId, events)
      run.note(traceId, events)
    },
  }
}

const THROWN_AWAY = {
  kind: 'check',
  name: 'selftest',
  result: 'thrown away',
  why: 'a self-test keeps nothing of its messages but their traces',
} as const

/** The run's domain, with nobody in it. */
function emptyDirectory(run: SelfTestRun): Directory {
  return {
    isOurDomain: (domain) => domain === run.base,
    resolve: ({ domain }) => ({ kind: domain === run.base ? 'no-such-user' : 'not-ours' }),
    mayUse: () => false,
    loginOf: () => undefined,
  }
}
