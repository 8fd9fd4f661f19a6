// A real Postfix, in a root of its own, on loopback: it receives what we send, or sends us what a test gives it.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openRoot, type Root, seenInside } from './overlay.ts'
import { until, untilListening } from './until.ts'

export interface PostfixOptions {
  /** An empty folder of the test: configuration, log and received mail are in it. */
  readonly folder: string
  /** Its own name, in greeting and EHLO. */
  readonly hostname: string
  readonly receive?: PostfixReceive
  readonly send?: PostfixSend
  /** Further main.cf lines, last word. */
  readonly settings?: Readonly<Record<string, string>>
  readonly hosts?: readonly string[]
  /** Folders with unix sockets that it must reach: path inside → folder outside. */
  readonly sockets?: Readonly<Record<string, string>>
}

/** A server that takes everything for these domains, only over TLS unless said, and stores it in one Maildir. */
export interface PostfixReceive {
  readonly address: string
  readonly port: number
  readonly domains: readonly string[]
  readonly certFile: string
  readonly keyFile: string
  /** encrypt: 530 5.7.0 without STARTTLS. */
  readonly tls?: 'encrypt' | 'may' | 'none'
}

/** Where everything goes that is not received here. */
export interface PostfixSend {
  /** `smtp:[host]:port`, `lmtp:inet:host:port` or `lmtp:unix:/path`. */
  readonly transport: string
  /** secure: the peer's certificate must verify against caFile and carry the transport's host name. */
  readonly tls: 'secure' | 'encrypt' | 'may' | 'none'
  readonly caFile?: string
}

export interface Postfix {
  /** Hands a message (CRLF or LF) to its queue, as a local user of it would. */
  submit(from: string, to: readonly string[], message: Uint8Array): Promise<void>
  /** Every message in the Maildir, with its Return-Path, Delivered-To and Received fields on top; LF ends. */
  received(): Buffer[]
  /** Waits until at least `count` messages are in the Maildir. */
  untilReceived(count: number): Promise<Buffer[]>
  log(): string
  /** Waits for a log line, and answers it. */
  untilLogged(pattern: RegExp): Promise<string>
  /** Tries everything in the queue now. */
  flush(): Promise<void>
  queue(): Promise<string>
  stop(): Promise<void>
}

export interface PostfixFiles {
  /** All of main.cf. */
  readonly settings: Readonly<Record<string, string>>
  /** Lines of master.cf. */
  readonly services: readonly string[]
}

/** Starts it and waits until it listens. */
export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  const hosts = [`127.0.0.1 ${options.hostname}`, ...(options.hosts ?? [])]
  const root = await openRoot({
    packages: ['postfix'],
    users: ['postfix'],
    groups: ['postdrop'],
    shared: options.folder,
    sockets: options.sockets ?? {},
    hosts,
  })
  try {
    await configure(root, options)
    await root.runWell('postfix', ['start'])
    if (options.receive) await untilListening(options.receive.port, options.receive.address)
    return running(root, options)
  } catch (error) {
    await root.stop()
    throw error
  }
}

async function configure(root: Root, options: PostfixOptions): Promise<void> {
  const mail = join(options.folder, 'mail')
  const settings = { ...commonSettings(options), ...receiveSettings(options, mail), ...sendSettings(options) }
  const { receive } = options
  await furnishPostfix(root, options.folder, {
    settings: { ...settings, ...options.settings },
    services: receive ? [`${receive.address}:${receive.port} inet n - n - - smtpd`] : [],
  })
  await root.runWell('install', ['-d', '-o', '65534', '-g', '65534', mail])
}

/** Writes its configuration; `services` come before the usual ones of master.cf. The log is FOLDER/postfix.log. */
export async function furnishPostfix(
  root: Root,
  folder: string,
  { settings, services }: PostfixFiles,
): Promise<void> {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
  const main = join(folder, 'main.cf')
  const master = join(folder, 'master.cf')
  writeFileSync(main, lines.join(''))
  writeFileSync(master, [...services, ...usualServices, ''].join('\n'))
  await root.runWell('sh', [
    '-c',
    // What Debian's postinst would do, as far as it matters here.
    `set -e; cp "$1" /etc/postfix/main.cf; cp "$2" /etc/postfix/master.cf
    : >/etc/aliases; : >/etc/postfix/dynamicmaps.cf
    mkdir -p /var/lib/postfix; chown postfix:postfix /var/lib/postfix
    chgrp postdrop /usr/sbin/postdrop /usr/sbin/postqueue; chmod 2555 /usr/sbin/postdrop /usr/sbin/postqueue
    touch "$3"`,
    ...['configure', main, master, join(folder, 'postfix.log')],
  ])
}

function commonSettings({ folder, hostname }: PostfixOptions): Record<string, string> {
  return {
    compatibility_level: '3.6',
    myhostname: hostname,
    mydestination: '',
    inet_interfaces: 'all',
    maillog_file: join(folder, 'postfix.log'),
    maillog_file_prefixes: folder,
    alias_maps: '',
    alias_database: '',
    local_recipient_maps: '',
    // Only our own addresses: no resolver is asked about names that mean nothing outside.
    disable_dns_lookups: 'yes',
    smtp_host_lookup: 'native',
    biff: 'no',
    // A refused or deferred message is tried again when a test says so.
    queue_run_delay: '1h',
    minimal_backoff_time: '1h',
    maximal_backoff_time: '2h',
    message_size_limit: '102400000',
    mailbox_size_limit: '0',
    virtual_mailbox_limit: '0',
    smtputf8_enable: 'yes',
  }
}

function receiveSettings({ receive, folder }: PostfixOptions, mail: string): Record<string, string> {
  if (!receive) return {}
  return {
    virtual_mailbox_domains: receive.domains.join(', '),
    virtual_mailbox_base: mail,
    virtual_mailbox_maps: 'static:all/',
    virtual_minimum_uid: '1',
    // 65534 is nobody on every Debian.
    virtual_uid_maps: 'static:65534',
    virtual_gid_maps: 'static:65534',
    smtpd_tls_security_level: receive.tls ?? 'encrypt',
    smtpd_tls_cert_file: seenInside(receive.certFile, folder),
    smtpd_tls_key_file: seenInside(receive.keyFile, folder),
    smtpd_tls_received_header: 'yes',
    smtpd_tls_loglevel: '1',
    smtpd_relay_restrictions: 'reject_unauth_destination',
  }
}

function sendSettings({ send, folder }: PostfixOptions): Record<string, string> {
  if (!send) return {}
  const protocol = send.transport.startsWith('lmtp:') ? 'lmtp' : 'smtp'
  const settings: Record<string, string> = {
    default_transport: send.transport,
    relay_transport: send.transport,
    [`${protocol}_tls_security_level`]: send.tls,
    [`${protocol}_tls_loglevel`]: '1',
  }
  if (send.caFile) settings[`${protocol}_tls_CAfile`] = seenInside(send.caFile, folder)
  // The name that the test put into the transport is the one that the certificate must carry.
  if (send.tls === 'secure') settings[`${protocol}_tls_secure_cert_match`] = 'hostname'
  return settings
}

const usualServices = [
  'pickup unix n - n 1 1 pickup',
  'cleanup unix n - n - 0 cleanup',
  'qmgr unix n - n 3600 1 qmgr',
  'rewrite unix - - n - - trivial-rewrite',
  'bounce unix - - n - 0 bounce',
  'defer unix - - n - 0 bounce',
  'trace unix - - n - 0 bounce',
  'verify unix - - n - 1 verify',
  'flush unix n - n 1000? 0 flush',
  'proxymap unix - - n - - proxymap',
  'smtp unix - - n - - smtp',
  'relay unix - - n - - smtp',
  'lmtp unix - - n - - lmtp',
  'showq unix n - n - - showq',
  'error unix - - n - - error',
  'retry unix - - n - - error',
  'discard unix - - n - - discard',
  'local unix - n n - - local',
  'virtual unix - n n - - virtual',
  'anvil unix - - n - 1 anvil',
  'scache unix - - n - 1 scache',
  'tlsmgr unix - - n 1000? 1 tlsmgr',
  'postlog unix-dgram n - n - 1 postlogd',
]

function running(root: Root, { folder }: PostfixOptions): Postfix {
  const received = () => maildir(join(folder, 'mail/all/new'))
  const log = () => readFileSync(join(folder, 'postfix.log'), 'utf8')
  return {
    received,
    log,
    untilReceived: (count) =>
      withLog(log, () =>
        until(`${count} messages at Postfix`, () => received().length >= count && received()),
      ),
    untilLogged: (pattern) =>
      withLog(log, () =>
        until(`the Postfix log line ${pattern}`, () =>
          log()
            .split('\n')
            .find((line) => pattern.test(line)),
        ),
      ),
    submit: async (from, to, message) => {
      await root.runWell('sendmail', ['-i', '-f', from, '--', ...to], { input: message })
    },
    flush: async () => {
      await root.runWell('postqueue', ['-f'])
    },
    queue: async () => (await root.runWell('postqueue', ['-p'])).stdout.toString(),
    stop: () => root.stop(),
  }
}

async function withLog<T>(log: () => string, wait: () => Promise<T>): Promise<T> {
  try {
    return await wait()
  } catch (error) {
    const last = log().trimEnd().split('\n').slice(-30).join('\n')
    throw new Error(`Postfix said:\n${last}`, { cause: error })
  }
}

function maildir(folder: string): Buffer[] {
  let names: string[]
  try {
    names = readdirSync(folder).sort()
  } catch {
    // The first delivery makes the folder.
    return []
  }
  return names.map((name) => readFileSync(join(folder, name)))
}
