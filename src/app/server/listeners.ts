import type { ListenAt as ConfiguredAt } from '../../config/kinds.ts'
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

/** Binds every address of the configuration, all or none: a server that answers on half its ports looks healthy and is not. */
export async function openPorts(config: Config, log: Log): Promise<OpenedPorts> {
  const ports: Port[] = []
  const sentences: string[] = []
  for (const { key, serves, implicitTls } of KINDS) {
    for (const at of config.listen[key]) {
      const opened = await openListener({
        name: key,
        at: platformAt(at, config),
        setting: `listen.${key}`,
        log,
      })
      if (opened.ok) ports.push({ serves, implicitTls, listener: opened.listener })
      else sentences.push(opened.sentence)
    }
  }
  if (sentences.length === 0) return { ok: true, ports }
  await closePorts(ports)
  return { ok: false, sentences }
}

export async function closePorts(ports: readonly Port[]): Promise<void> {
  await Promise.all(ports.map(({ listener }) => listener.close()))
}

function platformAt(at: ConfiguredAt, config: Config): ListenAt {
  return at.kind === 'unix' ? { ...at, mode: Number.parseInt(config.listen.lmtp_mode, 8) } : at
}
