// A real sendmail, in a root of its own: it hands a message to a port of ours, or to our LMTP, and shows the dialogue.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openRoot, type Root, seenInside } from './overlay.ts'
import type { Ran } from './run.ts'

export interface SendmailOptions {
  /** An empty folder of the test. */
  readonly folder: string
  readonly hostname: string
  readonly send: SendmailSmtp | SendmailLmtp
  readonly hosts?: readonly string[]
  /** Folders with unix sockets that it must reach: path inside → folder outside. */
  readonly sockets?: Readonly<Record<string, string>>
}

export interface SendmailSmtp {
  readonly protocol: 'smtp'
  readonly host: string
  readonly port: number
  /** The peer's certificate must verify against this, or nothing is sent (access map, TLS_Srv: VERIFY). */
  readonly caFile: string
}

export interface SendmailLmtp {
  readonly protocol: 'lmtp'
  /** A path of a unix socket, or a TCP port on 127.0.0.1. */
  readonly to: string | number
  /**
   * whole: `RCPT TO:<user@domain>`.
   * cyrusv2: the mailer that sendmail sites feed Cyrus with, whose rules cut the domain off: `RCPT TO:<user>`.
   */
  readonly recipients: 'whole' | 'cyrusv2'
}

export interface Sendmail {
  /** Hands a message over at once; the answer's standard output is the dialogue (`sendmail -v`). Any exit code. */
  submit(from: string, to: readonly string[], message: Uint8Array): Promise<Ran>
  /** What `mailq` shows: messages that it could not hand over. */
  queue(): Promise<string>
  stop(): Promise<void>
}

// A copy: sendmail trusts no file whose path others could write.
const caInside = '/etc/mail/tls/peer-ca.pem'
const program = '/usr/libexec/sendmail/sendmail'

/** Makes its sendmail.cf by m4 from the package's macros. No daemon runs: each submit is a process of its own. */
export async function openSendmail(options: SendmailOptions): Promise<Sendmail> {
  const root = await openRoot({
    packages: ['sendmail-bin'],
    users: ['smmta', 'smmsp'],
    shared: options.folder,
    sockets: options.sockets ?? {},
    hosts: [`127.0.0.1 ${options.hostname}`, ...(options.hosts ?? [])],
  })
  try {
    await configure(root, options)
  } catch (error) {
    await root.stop()
    throw error
  }
  return {
    submit: (from, to, message) =>
      root.run(program, ['-Am', '-odi', '-oi', '-v', '-f', from, '--', ...to], { input: message }),
    queue: async () => (await root.runWell(program, ['-Am', '-bp'])).stdout.toString(),
    stop: () => root.stop(),
  }
}

async function configure(root: Root, options: SendmailOptions): Promise<void> {
  const macros = join(options.folder, 'sendmail.mc')
  const file = join(options.folder, 'sendmail.cf')
  writeFileSync(macros, macroLines(options))
  await root.runWell('sh', [
    '-c',
    // /etc/mail must belong to root and be written by nobody else, or sendmail refuses the maps in it.
    `set -e; m4 /usr/share/sendmail/cf/m4/cf.m4 "$1" >"$2"; cp "$2" /etc/mail/sendmail.cf
    printf 'hosts files\\naliases files\\n' >/etc/mail/service.switch
    printf 'TLS_Srv:\\tVERIFY\\n' | makemap hash /etc/mail/access
    mkdir -p /var/spool/mqueue /var/lib/sendmail/host_status; chmod 700 /var/spool/mqueue
    : >/etc/mail/aliases; ${program} -bi`,
    ...['configure', macros, file],
  ])
  if (options.send.protocol === 'lmtp') return
  await root.runWell('sh', [
    '-c',
    'cp "$1" "$2" && chmod 644 "$2"',
    'copy',
    seenInside(options.send.caFile, options.folder),
    caInside,
  ])
}

function macroLines({ hostname, send }: SendmailOptions): string {
  return [
    "define(`_USE_ETC_MAIL_')dnl",
    "include(`/usr/share/sendmail/cf/m4/cf.m4')dnl",
    "OSTYPE(`debian')dnl",
    `define(\`confDOMAIN_NAME', \`${hostname}')dnl`,
    "define(`confSERVICE_SWITCH_FILE', `/etc/mail/service.switch')dnl",
    ...(send.protocol === 'smtp' ? smtpLines(send) : lmtpLines(send)),
    '',
  ].join('\n')
}

function smtpLines(send: SendmailSmtp): string[] {
  return [
    `define(\`confCACERT', \`${caInside}')dnl`,
    "define(`confCACERT_PATH', `/etc/ssl/certs')dnl",
    `define(\`SMART_HOST', \`relay:[${send.host}]')dnl`,
    `define(\`RELAY_MAILER_ARGS', \`TCP $h ${send.port}')dnl`,
    "FEATURE(`access_db', `hash -o /etc/mail/access')dnl",
    "FEATURE(`nocanonify')dnl",
    "MAILER(`smtp')dnl",
  ]
}

function lmtpLines(send: SendmailLmtp): string[] {
  const address = typeof send.to === 'number' ? `TCP $h ${send.to}` : `FILE ${send.to}`
  const mailers = [
    `define(\`CYRUSV2_MAILER_ARGS', \`${address}')dnl`,
    "FEATURE(`nocanonify')dnl",
    "MAILER(`smtp')dnl",
    "MAILER(`cyrusv2')dnl",
  ]
  if (send.recipients === 'cyrusv2') return ["define(`SMART_HOST', `cyrusv2:[127.0.0.1]')dnl", ...mailers]
  const flags = 'F=lsDFMnqAz@/:|mSX'
  return [
    "define(`SMART_HOST', `whole:[127.0.0.1]')dnl",
    ...mailers,
    'MAILER_DEFINITIONS',
    `Mwhole, P=[IPC], ${flags}, S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP/HdrFromSMTP, E=\\r\\n, L=0,`,
    `\tT=DNS/RFC822/SMTP, A=${address}`,
  ]
}
