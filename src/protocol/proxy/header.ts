import { asBuffer, latin1 } from '../../bytes/ascii.ts'
import { canonicalIp, formatIp, parseIp } from '../../mail/ip.ts'
import { V1_LINE_BYTES, V2_BODY_BYTES, V2_HEAD_BYTES } from './limits.ts'

/*
 * The PROXY protocol, versions 1 and 2: what a load balancer says about the client before the client's own
 * octets. Only to be read from configured addresses, and then the header must be there: whoever else could
 * send one would choose its own address.
 */

export interface ProxyAddress {
  /** Canonical text; an IPv4-mapped IPv6 address is the IPv4 one. */
  readonly ip: string
  readonly port: number
}

export interface ProxyHeader {
  readonly kind: 'header'
  readonly version: 1 | 2
  /** Octets of the header; what follows is the client's. */
  readonly sizeBytes: number
  /**
   * Absent: the connection is the proxy's own (LOCAL, a health check), or of a family without addresses
   * (UNKNOWN): the real peer's address stands.
   */
  readonly source?: ProxyAddress | undefined
  readonly destination?: ProxyAddress | undefined
  /** LOCAL: the proxy speaks for itself. */
  readonly local: boolean
  /** Octets of version 2's additions, passed over. */
  readonly tlvBytes: number
}

export type ProxyResult =
  | ProxyHeader
  | { readonly kind: 'need-more' }
  | { readonly kind: 'invalid'; readonly why: string }

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const V1_START = Buffer.from('PROXY ')
const NEED_MORE: ProxyResult = { kind: 'need-more' }

/**
 * Reads the header at the start of all octets received so far. Pure: call it again with more. It never asks
 * for more than the limits allow.
 */
export function readProxyHeader(received: Uint8Array): ProxyResult {
  const bytes = asBuffer(received)
  if (startsAs(bytes, V1_START)) return readV1(bytes)
  if (startsAs(bytes, SIGNATURE)) return readV2(bytes)
  return invalid('no PROXY header')
}

/** Whether the octets are the start of `magic`, or begin with it. */
function startsAs(bytes: Buffer, magic: Buffer): boolean {
  const length = Math.min(bytes.length, magic.length)
  return bytes.compare(magic, 0, length, 0, length) === 0
}

function readV1(bytes: Buffer): ProxyResult {
  const end = bytes.subarray(0, V1_LINE_BYTES).indexOf('\r\n')
  if (end < 0) {
    // A line that ends otherwise, or later, is none.
    if (bytes.length >= V1_LINE_BYTES) return invalid('a PROXY line of more than 107 octets')
    return bytes.subarray(0, -1).includes('\r') || bytes.includes('\n')
      ? invalid('a PROXY line that does not end with CR LF')
      : NEED_MORE
  }
  const line = latin1(bytes.subarray(0, end))
  const head = { kind: 'header', version: 1, sizeBytes: end + 2, local: false, tlvBytes: 0 } as const
  // The specification lets anything follow UNKNOWN.
  if (/^PROXY UNKNOWN(?: [ -~]*)?$/.test(line)) return head
  const match = /^PROXY TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5})$/.exec(line)
  if (match === null) return invalid('a PROXY line that can not be read')
  const [, family, from = '', to = '', fromPort = '', toPort = ''] = match
  const source = v1Address(family === '6', from, fromPort)
  const destination = v1Address(family === '6', to, toPort)
  if (source === undefined || destination === undefined) return invalid('an address or port that is none')
  return { ...head, source, destination }
}

function v1Address(v6: boolean, text: string, port: string): ProxyAddress | undefined {
  const ip = canonicalIp(text)
  const number = Number(port)
  if (ip === undefined || text.includes('%') || text.includes(':') !== v6) return undefined
  if (number > 65_535 || String(number) !== port) return undefined
  return { ip, port: number }
}

function readV2(bytes: Buffer): ProxyResult {
  if (bytes.length < V2_HEAD_BYTES) return NEED_MORE
  const command = bytes[12] as number
  const family = bytes[13] as number
  const length = bytes.readUInt16BE(14)
  if (command !== 0x20 && command !== 0x21) return invalid('a version or command that is unknown')
  if (length > V2_BODY_BYTES) return invalid(`a header of more than ${V2_BODY_BYTES} octets`)
  if (bytes.length < V2_HEAD_BYTES + length) return NEED_MORE
  const body = bytes.subarray(V2_HEAD_BYTES, V2_HEAD_BYTES + length)
  const head = { kind: 'header', version: 2, sizeBytes: V2_HEAD_BYTES + length } as const
  if (command === 0x20) return { ...head, local: true, tlvBytes: length }
  // 0x11: TCP over IPv4, 0x21: TCP over IPv6. Others (unspecified, UDP, unix) tell no address that we use.
  const addressBytes = family === 0x11 ? 4 : family === 0x21 ? 16 : 0
  if (addressBytes === 0) return { ...head, local: false, tlvBytes: length }
  const needed = 2 * addressBytes + 4
  if (length < needed) return invalid('a header too short for its addresses')
  const ports = 2 * addressBytes
  return {
    ...head,
    source: { ip: v2Ip(body.subarray(0, addressBytes)), port: body.readUInt16BE(ports) },
    destination: { ip: v2Ip(body.subarray(addressBytes, ports)), port: body.readUInt16BE(ports + 2) },
    local: false,
    tlvBytes: length - needed,
  }
}

/** An IPv4-mapped address becomes the IPv4 one, as everywhere. */
function v2Ip(octets: Buffer): string {
  const text = formatIp(octets)
  return canonicalIp(text) ?? text
}

function invalid(why: string): ProxyResult {
  return { kind: 'invalid', why }
}

/** The version 2 header for a connection of one family, as a proxy sends it; undefined where it has two. */
export function formatProxyHeader(source: ProxyAddress, destination: ProxyAddress): Buffer | undefined {
  const from = parseIp(source.ip)
  const to = parseIp(destination.ip)
  if (from === undefined || to === undefined || from.length !== to.length) return undefined
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(source.port, 0)
  ports.writeUInt16BE(destination.port, 2)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(2 * from.length + ports.length)
  const family = from.length === 4 ? 0x11 : 0x21
  return Buffer.concat([SIGNATURE, Buffer.from([0x21, family]), length, from, to, ports])
}
