import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { canonicalIp, isIpv6 } from '../mail/ip.ts'
import { RESOLVER_LIMITS as LIMITS } from './limits.ts'
import type { DnsServer } from './resolv-conf.ts'
import { errorText } from './socket-events.ts'

/** What a server sent back; `read` looks at each message and says undefined where it is not the answer. */
export type Exchange<T> =
  | { readonly kind: 'answer'; readonly answer: T }
  | { readonly kind: 'none'; readonly cause: string }

export interface ExchangeOptions<T> {
  readonly server: DnsServer
  readonly query: Uint8Array
  readonly timeoutMs: number
  readonly read: (message: Uint8Array) => T | undefined
}

/**
 * One question over UDP, from a port of its own that the system picks by chance (rfc5452 §9.2). The socket is
 * connected: the kernel drops what comes from elsewhere and tells at once when nobody listens there.
 */
export function exchangeUdp<T>(options: ExchangeOptions<T>): Promise<Exchange<T>> {
  const { server, query, timeoutMs, read } = options
  return new Promise((resolve) => {
    const socket = createSocket(isIpv6(server.address) ? 'udp6' : 'udp4')
    let over = false
    let strays = 0
    const finish = (result: Exchange<T>) => {
      if (over) return
      over = true
      clearTimeout(timer)
      socket.close()
      resolve(result)
    }
    const timer = setTimeout(() => finish(noAnswer(server, `no answer within ${timeoutMs} ms`)), timeoutMs)
    socket.on('error', (error) => finish(noAnswer(server, errorText(error))))
    socket.on('message', (message, from) => {
      if (over) return
      const isFromServer = from.port === server.port && canonicalIp(from.address) === server.address
      const answer = isFromServer ? read(message) : undefined
      if (answer !== undefined) finish({ kind: 'answer', answer })
      else if (++strays >= LIMITS.strayPackets) finish(noAnswer(server, 'many forged answers came'))
    })
    socket.connect(server.port, server.address, (error?: Error) => {
      if (over) return
      if (error) finish(noAnswer(server, errorText(error)))
      else socket.send(query, (failed) => failed && finish(noAnswer(server, errorText(failed))))
    })
  })
}

/** The same over TCP, for answers that do not fit a datagram (rfc7766 §5); one message each way. */
export function exchangeTcp<T>(options: ExchangeOptions<T>): Promise<Exchange<T>> {
  const { server, query, timeoutMs, read } = options
  return new Promise((resolve) => {
    const socket = connect(server.port, server.address)
    let result: Exchange<T> = noAnswer(server, 'the connection closed without an answer')
    const finish = (value: Exchange<T>) => {
      result = value
      socket.destroy()
    }
    const timer = setTimeout(() => finish(noAnswer(server, `no answer within ${timeoutMs} ms`)), timeoutMs)
    let received = Buffer.alloc(0)
    socket.on('connect', () => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(query.length)
      socket.write(Buffer.concat([length, query]))
    })
    socket.on('data', (chunk: Buffer) => {
      // At most 65,537 octets and a chunk: the length field has 16 bits.
      received = Buffer.concat([received, chunk])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      const answer = read(received.subarray(2, 2 + received.readUInt16BE(0)))
      finish(
        answer === undefined ? noAnswer(server, 'an answer to another question') : { kind: 'answer', answer },
      )
    })
    socket.on('error', (error) => {
      result = noAnswer(server, errorText(error))
    })
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(result)
    })
  })
}

function noAnswer(server: DnsServer, cause: string): { readonly kind: 'none'; readonly cause: string } {
  return { kind: 'none', cause: `${server.address}: ${cause}` }
}
