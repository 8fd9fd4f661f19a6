// opendkim and opendmarc as milters of the Postfix in front of a peer's store: they verify and judge what comes in.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Root } from '../../test/harness/overlay.ts'
import { until } from '../../test/harness/until.ts'
import { namesAddress } from '../namespaces.ts'

export const milterPackages = ['opendkim', 'opendmarc']
export const milterUsers = ['opendkim', 'opendmarc']

/** Starts both. @returns the settings with which Postfix asks them. */
export async function startMilters(root: Root, folder: string): Promise<Readonly<Record<string, string>>> {
  // Over TCP each message would wait three times for a delayed acknowledgement: 40 ms each.
  const [dkim, dmarc] = ['/run/milters/opendkim', '/run/milters/opendmarc'] as const
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  // Both leave mail from this machine alone unless they are told that it is no friend.
  const nobody = file('nobody', '192.0.2.1\n')
  // opendkim asks by libunbound, which never asks 127.0.0.1 and knows that there is no `test`. A file that says
  // otherwise (ResolverConfiguration) is read by all its threads at once, and it dies of that.
  const dkimFile = file(
    'opendkim.conf',
    `Mode v\nNameservers ${namesAddress}\nSocket local:${dkim}\nUMask 000\nUserID opendkim\nInternalHosts ${nobody}\nExternalIgnoreList ${nobody}\nSyslog no\n`,
  )
  const dmarcFile = file(
    'opendmarc.conf',
    [
      `Socket local:${dmarc}`,
      'UMask 000',
      'UserID opendmarc',
      'AuthservID localhost',
      'TrustedAuthservIDs localhost',
      `IgnoreHosts ${nobody}`,
      'SPFSelfValidate true',
      'SPFIgnoreResults true',
      'RejectFailures true',
      'RequiredHeaders true',
      'Background true',
      'Syslog false\n',
    ].join('\n'),
  )
  await root.runWell('sh', [
    '-c',
    `mkdir -m 777 /run/milters; echo nameserver ${namesAddress} >/etc/resolv.conf`,
  ])
  // They keep what they were given as their output, and whoever waits for its end would wait for ever.
  await root.runWell('sh', [
    '-c',
    `(opendkim -f -x ${dkimFile}; echo exit $?) >${folder}/opendkim.log 2>&1 &`,
  ])
  await root.runWell('sh', ['-c', `exec opendmarc -c ${dmarcFile} >${folder}/opendmarc.log 2>&1`])
  for (const socket of [dkim, dmarc])
    await until(`the socket ${socket}`, async () => (await root.run('test', ['-S', socket])).code === 0)
  return {
    smtpd_milters: `unix:${dkim}, unix:${dmarc}`,
    // A milter that can't be reached must be seen, not passed over.
    milter_default_action: 'tempfail',
  }
}
