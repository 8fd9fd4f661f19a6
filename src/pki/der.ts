/**
 * Writes DER (X.690), as much of it as a certificate and a certificate request need. It only writes: what is
 * read is read by OpenSSL through node:crypto. Each function gives one whole element.
 */

export type Der = Buffer

export const sequence = (...parts: readonly Der[]): Der => element(0x30, Buffer.concat(parts))
export const set = (...parts: readonly Der[]): Der => element(0x31, Buffer.concat(parts))
export const octetString = (octets: Uint8Array): Der => element(0x04, octets)
export const utf8String = (text: string): Der => element(0x0c, Buffer.from(text))
export const trueBoolean = (): Der => element(0x01, Buffer.of(0xff))
/** A number of one octet, such as a version or a path length. */
export const smallInteger = (value: number): Der => element(0x02, Buffer.of(value))

/** An unsigned integer: DER wants no zeros in front but the one that keeps it positive. */
export function integer(octets: Uint8Array): Der {
  const first = octets.findIndex((octet) => octet !== 0)
  const bare = first === -1 ? Buffer.of(0) : Buffer.from(octets.subarray(first))
  return element(0x02, (bare[0] as number) >= 0x80 ? Buffer.concat([Buffer.of(0), bare]) : bare)
}

/** @param unusedBits of the last octet. */
export function bitString(octets: Uint8Array, unusedBits = 0): Der {
  return element(0x03, Buffer.concat([Buffer.of(unusedBits), octets]))
}

/** @param dotted such as `2.5.29.17`. */
export function objectId(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)))
}

/** Seconds only: rfc5280 §4.1.2.5 wants UTCTime before 2050 and GeneralizedTime from then on. */
export function time(atMs: number): Der {
  const digits = new Date(atMs).toISOString().replace(/[-:T]|\.\d+/g, '')
  return atMs < Date.UTC(2050, 0)
    ? element(0x17, Buffer.from(digits.slice(2)))
    : element(0x18, Buffer.from(digits))
}

/** `[number]` around whole elements. */
export const explicit = (number: number, ...parts: readonly Der[]): Der =>
  element(0xa0 + number, Buffer.concat(parts))

/** `[number]` in place of the tag of something primitive. */
export const implicit = (number: number, content: Uint8Array): Der => element(0x80 + number, content)

export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

function element(tag: number, content: Uint8Array): Der {
  const { length } = content
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  const head = length < 0x80 ? [tag, length] : [tag, 0x80 + octets.length, ...octets]
  return Buffer.concat([Buffer.from(head), content])
}

function base128(value: number): number[] {
  const octets = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    octets.unshift((rest % 128) + 0x80)
  return octets
}
