// The Postfix that stands in front of a peer's store: everything for our domain goes to its LMTP port.

import type { Root } from '../../test/harness/overlay.ts'
import { furnishPostfix } from '../../test/harness/postfix.ts'
import { untilListening } from '../../test/harness/until.ts'
import { domain } from './system.ts'

/** Where Postfix keeps its queue, inside a root; a folder on the measured disk is mounted there. */
export const queueFolder = '/var/spool/postfix'

export interface FrontOptions {
  /** Configuration and log. */
  readonly folder: string
  readonly smtp: number
  readonly lmtp: number
  /** More settings. */
  readonly settings?: Readonly<Record<string, string>> | undefined
}

/** Starts it in this root, which must have its packages, users and queue folder. */
export async function startPostfixFront(
  root: Root,
  { folder, smtp, lmtp, settings }: FrontOptions,
): Promise<void> {
  await furnishPostfix(root, folder, {
    services: [`127.0.0.1:${smtp} inet n - n - - smtpd`],
    settings: {
      compatibility_level: '3.6',
      myhostname: 'localhost',
      mydestination: '',
      inet_interfaces: '127.0.0.1',
      maillog_file: `${folder}/postfix.log`,
      maillog_file_prefixes: folder,
      alias_maps: '',
      alias_database: '',
      virtual_mailbox_domains: domain,
      virtual_mailbox_maps: 'static:all',
      virtual_transport: `lmtp:inet:127.0.0.1:${lmtp}`,
      // There is no resolver here, and nobody to be asked about.
      disable_dns_lookups: 'yes',
      smtp_host_lookup: 'native',
      smtpd_tls_security_level: 'none',
      lmtp_tls_security_level: 'none',
      ...settings,
    },
  })
  await root.runWell('postfix', ['start'])
  await untilListening(smtp)
}

/** How it is set up, for the reader. */
export const frontAbout =
  'Postfix 3.7 with its defaults, no TLS, no DNS, no content checks, delivering by LMTP over loopback'
