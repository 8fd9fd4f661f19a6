import type { Network } from '../../mail/ip.ts'
import { type Reply, reply } from '../../mail/reply.ts'
import { isProxy } from '../../platform/proxy-header.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Dialer } from '../../ports/dialer.ts'
import type { Random } from '../../ports/random.ts'
import { SmtpDeliverer } from '../../session/smtp/outbound.ts'
import type { Probe } from './probes.ts'
import type { SelfTestRun } from './run.ts'

/** Our own port for mail from other servers, as a client sees it. */
export interface DoorOptions {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly proxyFrom: readonly Network[]
  readonly dialer: Dialer
  readonly clock: Clock
  readonly random: Random
  readonly withinMs: number
  readonly signal: AbortSignal
}

/** Hands a message in through the door, as another server would. @returns what it was answered. */
export async function throughDoor(
  options: DoorOptions,
  { run, probe, number }: { readonly run: SelfTestRun; readonly probe: Probe; readonly number: number },
): Promise<Reply> {
  const { name, address, port, clock, random, withinMs, signal } = options
  const { reversePath, recipient, content } = probe
  const deliverer = new SmtpDeliverer({
    dialer: fromOutside(options, run, number),
    clock,
    random,
    heloName: () => run.domain('host'),
  })
  const late = Promise.withResolvers<Reply>()
  const over = new AbortController()
  const cancel = clock.after(withinMs, () => late.resolve(LATE))
  try {
    return await Promise.race([late.promise, delivered()])
  } finally {
    cancel()
    over.abort()
  }

  async function delivered(): Promise<Reply> {
    const delivery = await deliverer.deliver({
      hop: { name, address, port },
      policy: { tls: 'opportunistic' },
      sender: { reversePath, bodyType: '7BIT', smtputf8: false },
      recipients: [{ address: recipient }],
      sizeBytes: content.length,
      body: async function* () {
        yield content
      },
      signal: AbortSignal.any([signal, over.signal]),
    })
    return delivery.kind === 'answered' ? (delivery.answers[0]?.reply ?? LATE) : delivery.reply
  }
}

const LATE = reply(451, '4.4.2', 'No answer came in time')

/** Where the door believes a PROXY header from here it demands one: each message then has a client address of its own. */
function fromOutside({ dialer, proxyFrom }: DoorOptions, run: SelfTestRun, number: number): Dialer {
  return {
    async dial(target) {
      const dialled = await dialer.dial(target)
      if (!dialled.ok) return dialled
      const { localAddress } = dialled.connection
      run.comesFrom(localAddress)
      if (isProxy(localAddress, proxyFrom)) {
        const header = `PROXY TCP4 192.0.2.${number + 1} 192.0.2.254 ${PORTS}\r\n`
        await dialled.connection.write(Buffer.from(header, 'latin1'))
      }
      return dialled
    },
  }
}

const PORTS = '4000 25'
