import { connect, isIP, type Socket } from 'node:net'
import { isIpv6 } from '../mail/ip.ts'
import type { Dialer, DialFailure } from '../ports/dialer.ts'
import { socketFailure } from './dial-error.ts'
import { DialedConnection, secureClient } from './dialed-connection.ts'
import { CONNECTION_LIMITS } from './limits.ts'

export interface DialerOptions {
  /** Addresses of this machine to call from, per family; undefined: the system chooses. */
  readonly localIpv4?: string | undefined
  readonly localIpv6?: string | undefined
  /** CA certificates (PEM) that `verify` trusts; undefined: Node's own list. */
  readonly caPem?: readonly string[] | undefined
}

export function makeDialer(options: DialerOptions = {}): Dialer {
  return {
    async dial(target) {
      const opened = await open(target, options)
      if (!opened.ok) return opened
      if (target.tls === undefined)
        return { ok: true, connection: new DialedConnection(opened.socket, options.caPem) }
      const secured = await secureClient(opened.socket, { ...target.tls, caPem: options.caPem })
      if (!secured.ok) return secured
      const connection = new DialedConnection(secured.socket, options.caPem)
      return { ok: true, connection, tls: secured.facts }
    },
  }
}

function open(
  target: { readonly address: string; readonly port: number; readonly timeoutMs: number },
  options: DialerOptions,
): Promise<{ readonly ok: true; readonly socket: Socket } | ({ readonly ok: false } & DialFailure)> {
  const { address, port, timeoutMs } = target
  // A name here would be looked up by the system, past our resolver and its rules.
  if (isIP(address) === 0)
    return Promise.resolve({ ok: false, kind: 'unreachable', cause: `${address} is no address` })
  const localAddress = isIpv6(address) ? options.localIpv6 : options.localIpv4
  return new Promise((resolve) => {
    const socket = connect({
      host: address,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: CONNECTION_LIMITS.keepAliveDelayMs,
      ...(localAddress === undefined ? {} : { localAddress }),
    })
    const fail = (failure: DialFailure) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ ok: false, ...failure })
    }
    const timer = setTimeout(
      () => fail({ kind: 'timeout', cause: `no connection within ${Math.round(timeoutMs / 1000)} s` }),
      timeoutMs,
    )
    const failed = (error: Error) => fail(socketFailure(error))
    socket.once('error', failed)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', failed)
      resolve({ ok: true, socket })
    })
  })
}
