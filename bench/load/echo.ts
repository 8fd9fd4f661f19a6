// The floor under all of it: how many small messages come back a second where nothing is done with them.

import { Buffer } from 'node:buffer'
import { type AddressInfo, connect, createServer } from 'node:net'

export interface EchoJob {
  readonly kind: 'echo'
  readonly port: number
  readonly connections: number
  readonly seconds: number
}

export interface EchoDone {
  readonly roundTrips: number
  readonly seconds: number
}

const octets = 64

/** Sends 64 octets, waits for them to come back, and again. */
export function runEcho({ port, connections, seconds }: EchoJob): Promise<EchoDone> {
  const { promise, resolve, reject } = Promise.withResolvers<EchoDone>()
  const message = Buffer.alloc(octets, 'x')
  const startedAt = performance.now()
  let roundTrips = 0
  let standing = connections
  for (let index = 0; index < connections; index++) {
    let pending = octets
    const callback = (length: number) => {
      pending -= length
      if (pending > 0) return true
      roundTrips++
      pending = octets
      if (performance.now() - startedAt < seconds * 1000) socket.write(message)
      else socket.end()
      return true
    }
    const socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: { buffer: Buffer.alloc(4096), callback },
    })
    socket.once('connect', () => socket.write(message))
    socket.once('error', reject)
    socket.once('close', () => {
      if (--standing === 0) resolve({ roundTrips, seconds: (performance.now() - startedAt) / 1000 })
    })
  }
  return promise
}

/** A server that gives back what it gets; the load above runs in another process. */
export async function serveEcho(): Promise<{ readonly port: number; stop(): void }> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  server.once('error', reject)
  server.listen({ host: '127.0.0.1', port: 0 }, resolve)
  await promise
  return { port: (server.address() as AddressInfo).port, stop: () => server.close() }
}
