import type { DmarcFinding } from '../../mail/authentication.ts'
import type { OperationPorts } from '../operations/operation.ts'
import { SELF_TEST_LIMITS as LIMITS } from './limits.ts'

/**
 * What our own domains ask other servers, and this one, to do with mail that forges them. A self-test that says OK says
 * nothing of that: without a policy in the DNS a stranger writes in our name to our own people.
 * @returns a sentence for each domain that protects itself too little; none for what the DNS does not tell in time.
 */
export async function ownPolicyLines(ports: OperationPorts): Promise<readonly string[]> {
  const domains = ports.config().domains.names.slice(0, LIMITS.ownDomains)
  const lines = await Promise.all(domains.map((domain) => inTime(ports, policySentence(ports, domain))))
  return lines.filter((line) => line !== undefined)
}

async function policySentence(ports: OperationPorts, domain: string): Promise<string | undefined> {
  const header = Buffer.from(`From: somebody@${domain}\r\n\r\n`)
  const facts = { client: '127.0.0.1', helo: '[127.0.0.1]', reversePath: null, authservId: 'localhost' }
  const content = {
    sizeBytes: header.length,
    pieces: async function* () {
      yield header
    },
  }
  const { evidence } = await ports.mailAuth.evaluate(content, facts)
  return adviceOf(domain, evidence.dmarc)
}

function adviceOf(domain: string, { result, policy }: DmarcFinding): string | undefined {
  const later =
    'Ask for p=quarantine once your reports (`hikyaku dmarc report`) show that what you send passes.'
  if (result === 'none')
    return `${domain} publishes no DMARC policy: mail that forges it is delivered, here too. Publish _dmarc.${domain} TXT "v=DMARC1; p=none; rua=mailto:postmaster@${domain}". ${later}`
  if (result === 'fail' && policy === 'none')
    return `${domain} publishes p=none: mail that forges it is delivered, here too, and only reported. ${later}`
  return undefined
}

/** Whoever waits for a table does not wait for a dead DNS. */
function inTime(ports: OperationPorts, asked: Promise<string | undefined>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const cancel = ports.clock.after(LIMITS.ownPolicyMs, () => resolve(undefined))
    const done = (line: string | undefined): void => {
      cancel()
      resolve(line)
    }
    // No thread can be had: the messages themselves have shown that, or will.
    asked.then(done, () => done(undefined))
  })
}
