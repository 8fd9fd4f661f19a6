import type { OperationPorts } from '../../src/app/operations/operation.ts'
import type { MailAuth } from '../../src/ports/mail-auth.ts'

/** Finds nothing and signs nothing: threads would bring real time into a world that has none. */
export function worldMailAuth(): MailAuth {
  return {
    evaluate: async (_message, { helo }) => ({
      evidence: {
        spf: { result: 'none', domain: helo, identity: 'helo' },
        dkim: [],
        arc: { result: 'none', sealers: [] },
        dmarc: { result: 'none', domain: '', aligned: {} },
        dns: [],
        limits: [],
      },
      seal: '',
    }),
    sign: async () => '',
  }
}

/** Nothing is signed in a world: keys are chance that no seed repeats. */
export function worldDkim(): OperationPorts['dkim'] {
  const none = { ok: false, sentence: 'nothing is signed here' } as const
  return {
    domains: [],
    forDomain: async () => [],
    generations: async () => none,
    present: async () => [],
    rotate: async () => none,
    noteLook: async () => none,
    reload: async () => [],
  }
}
