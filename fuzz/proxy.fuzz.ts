import { Bug } from '../src/mail/assert.ts'
import { formatProxyHeader, readProxyHeader } from '../src/protocol/proxy/header.ts'

/** A header from anybody: it never asks for more than its limits, and what it says is an address. */
export const name = 'proxy'

const V2 = formatProxyHeader({ ip: '192.0.2.1', port: 1 }, { ip: '192.0.2.2', port: 25 }) ?? Buffer.alloc(0)

export const corpus: readonly (string | Uint8Array)[] = [
  'PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\nEHLO x\r\n',
  'PROXY TCP6 2001:db8::1 ::ffff:192.0.2.2 1 25\r\n',
  'PROXY UNKNOWN\r\n',
  V2,
]

export function fuzz(input: Uint8Array): void {
  const whole = readProxyHeader(input)
  if (whole.kind === 'need-more' && input.length >= 16 + 4096) throw new Bug('it asks for too much')
  if (whole.kind !== 'header') return
  if (whole.sizeBytes > input.length) throw new Bug('a header longer than what came')
  for (let cut = 0; cut < whole.sizeBytes; cut++)
    if (readProxyHeader(input.subarray(0, cut)).kind !== 'need-more') throw new Bug(`cut at ${cut}`)
  const exact = readProxyHeader(input.subarray(0, whole.sizeBytes))
  if (JSON.stringify(exact) !== JSON.stringify(whole)) throw new Bug('what follows the header changed it')
  for (const address of [whole.source, whole.destination]) {
    if (address === undefined) continue
    if (!/^[0-9a-f.:]+$/.test(address.ip) || address.port > 65_535) throw new Bug(JSON.stringify(address))
  }
}
