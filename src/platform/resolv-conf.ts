import { readFileSync } from 'node:fs'
import { canonicalIp, isLoopback } from '../mail/ip.ts'
import { RESOLVER_LIMITS as LIMITS } from './limits.ts'

export interface DnsServer {
  readonly address: string
  readonly port: number
  /** Whether its AD bit is believed: it validates DNSSEC, and nobody stands between. */
  readonly validates: boolean
}

/**
 * The name servers of a resolv.conf(5) text. A loopback one is taken to validate (its AD bit cannot be forged
 * on the way); another only with `options trust-ad`, which says so.
 */
export function parseResolvConf(text: string): readonly DnsServer[] {
  const lines = text.split('\n').map((line) =>
    line
      .replace(/[#;].*$/s, '')
      .trim()
      .split(/\s+/),
  )
  const trustsAd = lines.some((words) => words[0] === 'options' && words.includes('trust-ad'))
  const servers: DnsServer[] = []
  for (const [keyword, word] of lines) {
    const address = keyword === 'nameserver' && word !== undefined ? canonicalIp(word) : undefined
    if (address !== undefined && servers.length < LIMITS.servers)
      servers.push({ address, port: 53, validates: trustsAd || isLoopback(address) })
  }
  return servers
}

/** The system's servers. Without the file, or with none named in it, the one on this machine (resolv.conf(5)). */
export function systemDnsServers(path = '/etc/resolv.conf'): readonly DnsServer[] {
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    // No file means the default, by the manual page.
  }
  const servers = parseResolvConf(text)
  return servers.length > 0 ? servers : [{ address: '127.0.0.1', port: 53, validates: true }]
}

/** A server as a setting names it: `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353`. */
export function parseDnsServer(text: string, validates: boolean): DnsServer | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  const address = canonicalIp(match?.[1] ?? match?.[2] ?? text)
  const port = match === null ? 53 : Number(match[3])
  if (address === undefined || port < 1 || port > 65_535) return undefined
  return { address, port, validates: validates || isLoopback(address) }
}
