import { canonicalIp } from '../src/mail/ip.ts'
import { parsePasswd } from '../src/platform/account.ts'
import { ControlLines, parseControlReply, parseControlRequest } from '../src/platform/control-wire.ts'
import { parseDnsServer, parseResolvConf } from '../src/platform/resolv-conf.ts'

/** The texts that the platform reads: the control socket's lines, resolv.conf, passwd. */
export const name = 'platform-texts'

export const corpus: readonly string[] = [
  '{"id":1,"verb":"account add","args":{"a":[1,null]}}\n',
  '{"id":1,"line":"x"}\n{"id":1,"result":null}\n{"id":2,"error":"y"}\n',
  'nameserver 192.0.2.53\nnameserver fe80::1%eth0\noptions trust-ad edns0\n',
  '[2001:db8::53]:5353',
  '192.0.2.1:53',
  'mail:x:8:12:mail:/var/mail:/bin/false\nroot:x:0:0:\n',
]

export function fuzz(input: Uint8Array): void {
  const bytes = Buffer.from(input)
  const text = bytes.toString('utf8')
  for (const line of new ControlLines(1000).push(bytes) ?? []) {
    const request = parseControlRequest(line)
    if (request !== undefined && !Number.isSafeInteger(request.id))
      throw new Error('a request without a number')
    parseControlReply(line)
  }
  const named = parseDnsServer(text, false)
  for (const server of [...parseResolvConf(text), ...(named === undefined ? [] : [named])])
    if (canonicalIp(server.address) !== server.address || server.port < 1 || server.port > 65_535)
      throw new Error(`a server that is none: ${JSON.stringify(server)}`)
  const account = parsePasswd(text, 'mail')
  if (account !== undefined && !(account.uid >= 0 && account.gid >= 0)) throw new Error('an id that is none')
}
