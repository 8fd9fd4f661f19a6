import { type ListenAt as ConfiguredAt, listenAt } from '../../config/kinds.ts'
import type { Config } from '../../config/settings.ts'
import { type Listener, openListener } from '../../platform/listen.ts'
import type { ListenAt } from '../../platform/listen-at.ts'
import type { Log } from '../../ports/log.ts'
import type { ServedRole } from '../../session/smtp/roles.ts'

/** What stands behind a listening address. */
export interface Port {
  readonly serves: ServedRole | 'imap'
  readonly implicitTls: boolean
  readonly listener: Listener
}

const KINDS = [
  { key: 'mx', serves: 'mx', implicitTls: false },
  { key: 'submission', serves: 'submission', implicitTls: false },
  { key: 'submissions', serves: 'submission', implicitTls: true },
  { key: 'imap', serves: 'imap', implicitTls: false },
  { key: 'imaps', serves: 'imap', implicitTls: true },
  { key: 'lmtp', serves: 'lmtp', implicitTls: false },
] as const satisfies readonly {
  readonly key: keyof Config['listen']
  readonly serves: Port['serves']
  readonly implicitTls: boolean
}[]

export type OpenedPorts =
  | { readonly ok: true; readonly ports: readonly Port[] }
  | { readonly ok: false; readonly sentences: readonly string[] }

/** What the system says of IPv6 addresses where it has no IPv6. */
const NO_IPV6 = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

/**
 * Binds every address of the configuration, all or none: a server that answers on half its ports looks healthy
 * and is not. Only `[::]` and `[::1]` may be missing on a machine without IPv6, where IPv4 serves in their place.
 */
export async function openPorts(config: Config, log: Log): Promise<OpenedPorts> {
  const ports: Port[] = []
  const failures: Failure[] = []
  for (const { key, serves, implicitTls } of KINDS) {
    for (const at of config.listen[key]) {
      const opened = await openListener({
        name: key,
        at: platformAt(at, config),
        setting: `listen.${key}`,
        log,
      })
      if (opened.ok) ports.push({ serves, implicitTls, listener: opened.listener })
      else if (isMissingIpv6(at, opened.code) && config.listen[key].some(isIpv4)) {
        log.event('server.note', { note: `no IPv6 here: ${opened.sentence}` })
      } else failures.push({ key, at, code: opened.code, sentence: opened.sentence })
    }
  }
  if (failures.length === 0) return { ok: true, ports }
  await closePorts(ports)
  return { ok: false, sentences: failureSentences(failures) }
}

interface Failure {
  readonly key: string
  readonly at: ConfiguredAt
  readonly code: string | undefined
  readonly sentence: string
}

/** What several ports have in common, by the system's code. */
const TOGETHER: Readonly<Record<string, string>> = {
  EADDRINUSE: 'other programs have them (EADDRINUSE). "ss -ltnp" names them: stop those, or set other ports',
  EACCES:
    'ports below 1024 need a right that this user does not have (EACCES). Start as root with server.user naming whom to become, or with CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE), or set ports from 1024 up',
}

/** One cause is one sentence, however many ports it stands in the way of. */
function failureSentences(failures: readonly Failure[]): readonly string[] {
  const sentences: string[] = []
  const told = new Set<Failure>()
  for (const failure of failures) {
    if (told.has(failure)) continue
    const text = TOGETHER[failure.code ?? '']
    const same = failures.filter(({ at, code }) => at.kind === 'tcp' && code === failure.code)
    if (text === undefined || failure.at.kind !== 'tcp' || same.length === 1) {
      sentences.push(failure.sentence)
      continue
    }
    for (const one of same) told.add(one)
    const places = same.map(({ at }) => listenAt.print(at).slice(1, -1)).join(', ')
    const settings = [...new Set(same.map(({ key }) => `listen.${key}`))].join(', ')
    sentences.push(`These ports can't be opened: ${places}: ${text} with ${settings}.`)
  }
  return sentences
}

export async function closePorts(ports: readonly Port[]): Promise<void> {
  await Promise.all(ports.map(({ listener }) => listener.close()))
}

function isMissingIpv6(at: ConfiguredAt, code: string | undefined): boolean {
  return (
    at.kind === 'tcp' &&
    (at.address === '::' || at.address === '::1') &&
    code !== undefined &&
    NO_IPV6.has(code)
  )
}

function isIpv4(at: ConfiguredAt): boolean {
  return at.kind === 'tcp' && !at.address.includes(':')
}

function platformAt(at: ConfiguredAt, config: Config): ListenAt {
  return at.kind === 'unix' ? { ...at, mode: Number.parseInt(config.listen.lmtp_mode, 8) } : at
}
