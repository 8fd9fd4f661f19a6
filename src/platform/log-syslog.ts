import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { LOG_LIMITS } from './limits.ts'
import type { LogSink, SinkLine } from './log-sink.ts'

/**
 * The system's log. Node can't write to /dev/log (a datagram socket of the unix kind), so lines go to the
 * standard input of one long-lived `logger` of util-linux, which every usual Linux has; or, elsewhere, by UDP
 * to a syslog daemon that listens on a port.
 */
export type SyslogOptions = {
  /** Where the lines of mail (with daemon and auth) and of IMAP go; without it each to its usual facility. */
  readonly facilities?: { readonly mail: SyslogFacility; readonly imap: SyslogFacility } | undefined
} & SyslogWay

type SyslogWay =
  | { readonly via: 'logger'; readonly program: string; readonly pid: number; readonly command?: string }
  | {
      readonly via: 'udp'
      readonly program: string
      readonly pid: number
      readonly address: string
      readonly port: number
    }

/** rfc5424 §6.2.1. IMAP's lines take their own facility, so that a syslog.conf can keep them apart. */
const FACILITIES: Readonly<Record<SinkLine['facility'], number>> = { mail: 2, daemon: 3, auth: 4, imap: 22 }
/** rfc5424 §6.2.1, the ones that a site may choose. */
const CHOICES = {
  mail: 2,
  daemon: 3,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const
export type SyslogFacility = keyof typeof CHOICES
const LEVELS: Readonly<Record<SinkLine['level'], number>> = {
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
}

export function syslogPriority(
  line: Pick<SinkLine, 'facility' | 'level'>,
  chosen?: SyslogOptions['facilities'],
): number {
  const facility =
    chosen === undefined
      ? FACILITIES[line.facility]
      : CHOICES[line.facility === 'imap' ? chosen.imap : chosen.mail]
  return facility * 8 + LEVELS[line.level]
}

export function makeSyslogSink(options: SyslogOptions): LogSink {
  return options.via === 'udp' ? new UdpSyslog(options) : new LoggerSyslog(options)
}

/** `logger --prio-prefix` takes `<22>text` lines. It is started when needed, and again when it died. */
class LoggerSyslog implements LogSink {
  readonly #options: Extract<SyslogOptions, { via: 'logger' }>
  #child: ChildProcess | undefined
  #dropped = 0
  #startAtMs = 0

  constructor(options: Extract<SyslogOptions, { via: 'logger' }>) {
    this.#options = options
  }

  write(line: SinkLine): void {
    const input = this.#running()?.stdin
    // The pipe's own buffer is the bound: a syslog that stands still must not take our memory.
    if (!input?.writable || input.writableLength > LOG_LIMITS.bufferBytes) this.#dropped++
    else
      input.write(
        `<${syslogPriority(line, this.#options.facilities)}>${line.bare.slice(0, LOG_LIMITS.syslogChars)}\n`,
      )
  }

  reopen(): void {
    this.#child?.stdin?.end()
    this.#child = undefined
    this.#startAtMs = 0
  }

  close(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => child.kill(), 1000)
      child.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
      child.stdin?.end()
    })
  }

  takeDropped(): number {
    const dropped = this.#dropped
    this.#dropped = 0
    return dropped
  }

  #running(): ChildProcess | undefined {
    if (this.#child !== undefined || performance.now() < this.#startAtMs) return this.#child
    const { command = 'logger', program, pid } = this.#options
    // Not more often than this, where there is no `logger` at all.
    this.#startAtMs = performance.now() + 5_000
    const child = spawn(command, ['--prio-prefix', '--size', '8192', '--tag', `${program}[${pid}]`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const gone = () => {
      if (this.#child === child) this.#child = undefined
    }
    child.on('error', gone)
    child.on('exit', gone)
    child.stdin.on('error', gone)
    child.unref()
    this.#child = child
    return child
  }
}

/** The old BSD form, which every daemon takes; a datagram that finds nobody is lost, as is syslog's way. */
class UdpSyslog implements LogSink {
  readonly #options: Extract<SyslogOptions, { via: 'udp' }>
  readonly #socket: UdpSocket
  #dropped = 0

  constructor(options: Extract<SyslogOptions, { via: 'udp' }>) {
    this.#options = options
    this.#socket = createSocket(options.address.includes(':') ? 'udp6' : 'udp4')
    this.#socket.on('error', () => this.#dropped++)
    this.#socket.unref()
  }

  write(line: SinkLine): void {
    const { address, port } = this.#options
    const text = `<${syslogPriority(line, this.#options.facilities)}>${line.classic.slice(0, LOG_LIMITS.syslogChars)}`
    this.#socket.send(text, port, address, (error) => {
      if (error !== null) this.#dropped++
    })
  }

  reopen(): void {}

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }

  takeDropped(): number {
    const dropped = this.#dropped
    this.#dropped = 0
    return dropped
  }
}
