import type { Kind } from './kinds.ts'
import * as kinds from './kinds.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const SYSLOG_FACILITIES = [
  'mail',
  'daemon',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const

/** One setting, declared here and nowhere else: the loader, the sample file and the reference page print from it. */
export interface Setting<T> {
  readonly kind: Kind<T>
  readonly byDefault: T
  /** One sentence. */
  readonly says: string
  /** Whether a reload brings it into force, or only a new start. */
  readonly takesEffect: 'reload' | 'start'
}

function setting<T>(
  kind: Kind<T>,
  byDefault: T,
  says: string,
  takesEffect: Setting<T>['takesEffect'] = 'reload',
): Setting<T> {
  return { kind, byDefault, says, takesEffect }
}

const tcp = (address: string, port: number): kinds.ListenAt => ({ kind: 'tcp', address, port })
const everywhere = (port: number): readonly kinds.ListenAt[] => [tcp('0.0.0.0', port), tcp('::', port)]

export const SETTINGS = {
  server: {
    hostname: setting(
      kinds.domain,
      'localhost',
      'The name that this server calls itself in greetings, EHLO and Received; it should be the name in its certificate and in reverse DNS.',
      'start',
    ),
    data: setting(
      kinds.path,
      '/var/lib/hikyaku',
      'The folder that holds everything: mail, accounts, queue, keys.',
      'start',
    ),
    user: setting(
      kinds.optional(kinds.text),
      undefined,
      'The system user to become once the ports are open; needed only where the server is started as root.',
      'start',
    ),
    group: setting(
      kinds.optional(kinds.text),
      undefined,
      "The system group to become; empty means the user's own.",
      'start',
    ),
  },
  domains: {
    names: setting(
      kinds.list(kinds.domain),
      [],
      'The domains whose mail ends here; mail for any other domain is relayed for those who may submit, and refused from everyone else.',
    ),
    postmaster: setting(
      kinds.optional(kinds.address),
      undefined,
      'The account that gets mail for postmaster of every domain (rfc5321 §4.5.1); empty means the first account.',
    ),
    separator: setting(
      kinds.text,
      '+',
      'The character that starts the detail of an address (`me+shop@`); empty switches details off.',
    ),
    test_domain: setting(
      kinds.optional(kinds.domain),
      undefined,
      'A domain for trying things out: its addresses `accept@`, `defer@`, `refuse@`, `full@` and `timeout@` do what they say.',
    ),
  },
  listen: {
    mx: setting(
      kinds.list(kinds.listenAt),
      everywhere(25),
      'Where mail from other servers comes in; passwords are never taken here.',
      'start',
    ),
    submission: setting(
      kinds.list(kinds.listenAt),
      everywhere(587),
      'Where your own people hand in mail, with STARTTLS.',
      'start',
    ),
    submissions: setting(
      kinds.list(kinds.listenAt),
      everywhere(465),
      'Where your own people hand in mail, with TLS from the first byte.',
      'start',
    ),
    imap: setting(
      kinds.list(kinds.listenAt),
      everywhere(143),
      'IMAP with STARTTLS; nobody can log in before TLS.',
      'start',
    ),
    imaps: setting(
      kinds.list(kinds.listenAt),
      everywhere(993),
      'IMAP with TLS from the first byte.',
      'start',
    ),
    lmtp: setting(
      kinds.list(kinds.listenAt),
      [],
      'Where a mail server in front of this one delivers by LMTP; without passwords, so keep it on a unix socket or loopback.',
      'start',
    ),
    lmtp_mode: setting(
      kinds.oneOf(['0600', '0660', '0666']),
      '0660',
      'Who may deliver through a unix socket: this user (0600), its group too (0660), or whoever can reach the folder that it is in (0666, as Postfix needs).',
      'start',
    ),
    proxy_from: setting(
      kinds.list(kinds.network),
      [],
      'Addresses of proxies that speak the PROXY protocol; from them every connection must start with it.',
      'start',
    ),
    max_connections: setting(
      kinds.integer({ min: 10, max: 100_000 }),
      10_000,
      'Connections at once, over all ports.',
    ),
    max_connections_per_client: setting(
      kinds.integer({ min: 1, max: 100_000 }),
      50,
      'Connections at once from one IPv4 address or IPv6 /64; loopback is not counted.',
    ),
  },
  tls: {
    certificate: setting(
      kinds.optional(kinds.path),
      undefined,
      'A file with your certificate and its chain (PEM); empty means one from our own CA.',
    ),
    key: setting(
      kinds.optional(kinds.path),
      undefined,
      'The file with the private key of that certificate (PEM).',
    ),
    names: setting(
      kinds.list(kinds.text),
      [],
      'Names and addresses in the certificate that we make, beside the host name.',
    ),
    ca_file: setting(
      kinds.optional(kinds.path),
      undefined,
      "Where to write our own CA's certificate for clients; empty means `ca.pem` in the data folder.",
    ),
  },
  smtp: {
    max_message: setting(
      kinds.size,
      50 * MIB,
      'The largest message taken, from others and from your own people; announced as SIZE.',
    ),
    max_recipients: setting(
      kinds.integer({ min: 100, max: 10_000 }),
      1_000,
      'Recipients of one message (rfc5321 §4.5.3.1.8 asks for at least 100).',
    ),
    max_received: setting(
      kinds.integer({ min: 10, max: 200 }),
      50,
      'A message with more Received fields than this is going in circles and is refused (rfc5321 §6.3).',
    ),
    bare_newlines: setting(
      kinds.oneOf(['refuse', 'accept-lf']),
      'refuse',
      'What to do with a line that ends in LF alone: refuse it, since it is how mail is smuggled past checks, or take it as a line end for an old device.',
    ),
    greeting_delay: setting(
      kinds.duration,
      200,
      'How long the greeting on the MX port waits; who talks before it is a spammer and is refused.',
    ),
  },
  submission: {
    trusted_networks: setting(
      kinds.list(kinds.network),
      [],
      'Hosts in the house that may submit without a password, a printer say.',
    ),
    trusted_from: setting(
      kinds.list(kinds.address),
      [],
      'The only addresses that those hosts may write as sender.',
    ),
  },
  quarantine: {
    junk_domains: setting(
      kinds.list(kinds.domain),
      [],
      'Domains of yours whose people get what would be held in their Junk mailbox instead.',
    ),
    keep: setting(kinds.duration, 30 * DAY, 'How long a message is held before it is deleted.'),
    max_size: setting(
      kinds.size,
      GIB,
      'How much room held messages may take; the networks that sent most make room first.',
    ),
    digest: setting(
      kinds.boolean,
      true,
      'Tell each account once a day what is held for it, and how to have it.',
    ),
    digest_hour: setting(
      kinds.integer({ min: 0, max: 23 }),
      7,
      'The hour of the day, local time, at which the accounts are told.',
    ),
    language: setting(
      kinds.oneOf(['en', 'ja']),
      'en',
      'The language of what accounts are told that have chosen none (`hikyaku account language`).',
    ),
  },
  auth: {
    plain_text_on_loopback: setting(
      kinds.boolean,
      false,
      'Take passwords without TLS from this machine itself.',
    ),
    scram_sha_1: setting(kinds.boolean, false, 'Offer SCRAM-SHA-1 too, for clients that know nothing newer.'),
  },
  policy: {
    authserv_id: setting(
      kinds.optional(kinds.domain),
      undefined,
      'The name of this server in Authentication-Results fields; empty means that of `server.hostname`.',
    ),
    reject: setting(
      kinds.oneOf(['evidence', 'always', 'hold']),
      'evidence',
      'Mail that fails the DMARC policy "reject" of its author\'s domain: refuse it where nothing else explains the failure and hold it where a mailing list or forwarder may (evidence), refuse it always, or hold it always.',
    ),
    required_headers: setting(
      kinds.boolean,
      true,
      'Refuse mail without From or Date, or with two of a field that may stand once (rfc5322 §3.6).',
    ),
    multi_value_from: setting(
      kinds.oneOf(['refuse', 'allow']),
      'refuse',
      'Mail whose From names authors of several domains: nobody can vouch for all of them.',
    ),
    exempt_networks: setting(
      kinds.list(kinds.network),
      kinds.networks(['127.0.0.0/8', '::1']),
      'Clients of the MX port whose mail is not judged, by SPF, DKIM, DMARC or its header; nothing is signed for them either.',
    ),
    secondaries: setting(
      kinds.list(kinds.network),
      [],
      'Your own backup MX hosts: the client that is judged is taken from their Received field, and what would be refused is held.',
    ),
    received_spf: setting(kinds.boolean, false, 'Add a Received-SPF field too (rfc7208 §9.1).'),
    hold_quarantine: setting(
      kinds.boolean,
      true,
      'Hold mail that fails the DMARC policy "quarantine"; false delivers it, with the failure in its Authentication-Results.',
    ),
  },
  dkim: {
    sign: setting(
      kinds.boolean,
      true,
      'Sign what your own people send with DKIM (rfc6376); `hikyaku dkim show` prints the records to publish.',
    ),
    domains: setting(
      kinds.list(kinds.domain),
      [],
      'The domains that are signed for; empty means all of `domains.names`.',
    ),
  },
  reports: {
    send: setting(
      kinds.boolean,
      true,
      'Send DMARC aggregate reports (rfc9990) to the domains that ask for them, once a day.',
    ),
    from: setting(
      kinds.optional(kinds.address),
      undefined,
      'The sender of these reports, in a domain of yours whose SPF record names this server; empty means `dmarc-reports@` the first of `domains.names`.',
    ),
    contact: setting(
      kinds.optional(kinds.text),
      undefined,
      'How to reach you, written into these reports: an address or a page. Empty means `reports.from`.',
    ),
    read: setting(
      kinds.boolean,
      true,
      'Read the DMARC and TLS reports about your domains that come in, for `hikyaku dmarc report`; they are delivered all the same.',
    ),
  },
  accounts: {
    default_quota: setting(
      kinds.optional(kinds.size),
      undefined,
      'The quota of a new account; empty means none.',
    ),
  },
  outbound: {
    smarthost: setting(
      kinds.optional(kinds.hostPort),
      undefined,
      "Your provider's server that all outgoing mail goes through; empty means straight to each recipient's own server.",
    ),
    smarthost_user: setting(
      kinds.optional(kinds.text),
      undefined,
      'The user name at the smarthost; empty means no AUTH.',
    ),
    smarthost_password_file: setting(
      kinds.optional(kinds.path),
      undefined,
      'The file whose first line is the password at the smarthost.',
    ),
    smarthost_tls: setting(
      kinds.oneOf(['starttls', 'implicit', 'opportunistic']),
      'starttls',
      'How the smarthost speaks TLS; the first two demand a certificate that is valid for its name.',
    ),
    smarthost_ca: setting(
      kinds.optional(kinds.path),
      undefined,
      "A CA certificate (PEM) to trust for the smarthost, beside the system's.",
      'start',
    ),
    port: setting(
      kinds.integer({ min: 1, max: 65535 }),
      25,
      'The port that other mail servers are reached at; anything but 25 is for tests.',
    ),
    ip: setting(kinds.oneOf(['both', 'ipv4', 'ipv6']), 'both', 'Which addresses of other servers are used.'),
    retry_after: setting(
      kinds.list(kinds.duration),
      [5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR],
      'How long to wait after each failed attempt; the last one repeats (rfc5321 §4.5.4.1).',
    ),
    give_up_after: setting(
      kinds.duration,
      5 * DAY,
      'When a message that could not be delivered goes back to its sender.',
    ),
    tell_delay_after: setting(kinds.duration, 4 * HOUR, 'When the sender is told that a message is late.'),
    max_connections: setting(kinds.integer({ min: 1, max: 1_000 }), 20, 'Outgoing connections at once.'),
  },
  dns: {
    servers: setting(
      kinds.list(kinds.addressPort),
      [],
      'The resolvers to ask; empty means those of /etc/resolv.conf.',
    ),
    timeout: setting(kinds.duration, 5_000, 'How long one question to one resolver may take.'),
  },
  log: {
    to: setting(kinds.text, 'stderr', 'Where the log goes: `stderr`, `syslog`, or the path of a file.'),
    imap_to: setting(
      kinds.optional(kinds.text),
      undefined,
      'A place of its own for the IMAP log, written the same way; empty means the same as the rest.',
    ),
    format: setting(
      kinds.oneOf(['classic', 'json']),
      'classic',
      'Classic maillog lines, or one JSON object a line.',
    ),
    level: setting(
      kinds.oneOf(['error', 'warning', 'notice', 'info', 'debug']),
      'info',
      'The least serious events that are still written.',
    ),
    syslog_facility: setting(kinds.oneOf(SYSLOG_FACILITIES), 'mail', 'The syslog facility of the log.'),
    imap_syslog_facility: setting(
      kinds.oneOf(SYSLOG_FACILITIES),
      'mail',
      'The syslog facility of the IMAP log.',
    ),
  },
  traces: {
    keep: setting(kinds.duration, 90 * DAY, 'How long the trace of a message is kept.'),
    max_size: setting(kinds.size, GIB, 'How much room traces may take; the oldest go first.'),
  },
} as const satisfies Record<string, Record<string, Setting<unknown>>>

export type Settings = typeof SETTINGS
export type SectionName = keyof Settings

type ValueOf<S> = S extends Setting<infer T> ? T : never

/** The configuration: what the settings say, all of them, with defaults filled in. Paths are absolute. */
export type Config = {
  readonly [S in SectionName]: { readonly [K in keyof Settings[S]]: ValueOf<Settings[S][K]> }
}

/** All settings in the order of declaration. */
export function allSettings(): readonly {
  readonly section: SectionName
  readonly key: string
  readonly setting: Setting<unknown>
}[] {
  return (Object.keys(SETTINGS) as SectionName[]).flatMap((section) =>
    Object.entries(SETTINGS[section] as Record<string, Setting<unknown>>).map(([key, setting]) => ({
      section,
      key,
      setting,
    })),
  )
}
