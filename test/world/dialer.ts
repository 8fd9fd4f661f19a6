import { DialedConnection } from '../../src/platform/dialed-connection.ts'
import type { Dialer } from '../../src/ports/dialer.ts'
import type { Network } from './network.ts'

/** Calls over the world's network; what is made of the socket is the real thing. */
export function worldDialer(network: Network, from: string): Dialer {
  return {
    async dial({ address, port, timeoutMs }) {
      const dialled = await network.connect(from, `${address} ${port}`, timeoutMs)
      if (typeof dialled !== 'string')
        return { ok: true, connection: new DialedConnection(dialled, undefined) }
      return { ok: false, kind: dialled, cause: dialled }
    },
  }
}
