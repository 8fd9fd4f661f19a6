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
