// A foreign SASL library logs in, with and without channel binding, over IMAP and SMTP.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type GsaslOptions, gsasl } from '../harness/clients/gsasl.ts'
import { below, loginAt, type Server, startServer } from '../harness/hikyaku.ts'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { describe as told } from '../harness/run.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'

const protocols = ['imap', 'smtp'] as const

describe('GNU SASL logs in', { timeout: 300_000 }, () => {
  let scratch: Scratch
  let server: Server

  before(async () => {
    needSlowNamespace()
    needPrograms('gsasl')
    scratch = makeScratch('scram')
    server = await startServer({ folder: below(scratch.folder, 'server') })
  })

  after(async () => {
    await server?.stop()
    scratch?.remove()
  })

  const tryLogin = (options: GsaslOptions, password = server.firstAccount().password) => {
    const login = loginAt(server, { user: server.firstAccount().user, password }, portOf(options.protocol))
    return gsasl(login, options)
  }

  for (const protocol of protocols) {
    for (const mechanism of ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN']) {
      test(`${protocol}: ${mechanism}`, async () => {
        const ran = await tryLogin({ protocol, mechanism })
        assert.equal(ran.code, 0, told(ran))
        assert.match(ran.stderr, /TLS1\.3/)
        // For SCRAM this says that the server proved itself too (rfc5802 §3).
        assert.match(ran.stderr, /Client authentication finished \(server trusted\)/)
        if (mechanism.endsWith('-PLUS')) assert.match(decoded(ran.stdout), /p=tls-exporter,,n=/)
      })

      test(`${protocol}: ${mechanism} with a wrong password`, async () => {
        const ran = await tryLogin({ protocol, mechanism }, 'wrong-Password-1')
        assert.notEqual(ran.code, 0, told(ran))
        const refusal = protocol === 'smtp' ? /^535 5\.7\.8 /m : /NO \[AUTHENTICATIONFAILED\]/
        assert.match(ran.stdout.toString(), refusal)
      })
    }
  }

  test('SCRAM-SHA-1 is not offered', async () => {
    for (const protocol of protocols) {
      const ran = await tryLogin({ protocol, mechanism: 'SCRAM-SHA-1' })
      assert.notEqual(ran.code, 0, told(ran))
      assert.doesNotMatch(ran.stdout.toString(), /^(250[- ]AUTH|\* CAPABILITY).*SCRAM-SHA-1/m)
    }
  })
})

function portOf(protocol: 'imap' | 'smtp'): 'imap' | 'submission' {
  return protocol === 'imap' ? 'imap' : 'submission'
}

/** The base64 lines of a dialogue, in clear. */
function decoded(dialogue: Buffer): string {
  const words = dialogue.toString().split(/\s+/)
  return words.map((word) => Buffer.from(word, 'base64').toString('latin1')).join('\n')
}
