// Cyrus IMAP behind Postfix, in a root of its own: it and Dovecot cannot both be installed.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openRoot, type Root } from '../../test/harness/overlay.ts'
import { untilListening } from '../../test/harness/until.ts'
import { ImapWire } from '../load/imap-wire.ts'
import { processesInNamespaceOf } from '../processes.ts'
import { frontAbout, queueFolder, startPostfixFront } from './postfix-front.ts'
import {
  accountsOf,
  diskBytesOf,
  domain,
  freePorts,
  type Host,
  type MailSystem,
  type Ports,
  password,
} from './system.ts'

const title = 'Postfix + Cyrus'
const masterPid = '/run/cyrus-master.pid'

/** Starts both programs. `folder` is empty, on the disk to be measured, and others may look into it. */
export async function startCyrus(folder: string): Promise<Host> {
  const [smtp = 0, lmtp = 0, imap = 0] = await freePorts(3)
  const ports: Ports = { smtp, lmtp, imap }
  const spool = join(folder, 'spool')
  const lib = join(folder, 'lib')
  const mail = join(folder, 'mail')
  for (const each of [spool, lib, mail]) mkdirSync(each)
  const root = await openRoot({
    packages: ['cyrus-imapd', 'sasl2-bin', 'postfix'],
    users: ['postfix', 'cyrus'],
    groups: ['postdrop'],
    shared: folder,
    sockets: { [queueFolder]: spool },
  })
  const accounts = accountsOf('')
  try {
    const users = [...accounts.many, accounts.reader, accounts.idler].map(({ user }) => user)
    await furnish(root, folder, { ports, users })
    await startProgram(root, ports)
    await createMailboxes(imap, users)
    await startPostfixFront(root, { folder, smtp, lmtp })
  } catch (error) {
    await root.stop()
    throw error
  }
  const system: MailSystem = {
    name: 'cyrus',
    title,
    ports,
    ...accounts,
    processes: () => processesInNamespaceOf(root.firstPid),
    diskBytes: () => [spool, lib, mail].reduce((sum, each) => sum + diskBytesOf(each), 0),
    about: `${frontAbout}; Cyrus IMAP 3.6 with its defaults, clear-text passwords in sasldb, idled for IDLE, limits raised for 2,000 clients, no log`,
  }
  return {
    systems: [system],
    restart: async () => {
      await root.runWell('sh', [
        '-c',
        `pid=$(cat ${masterPid}); kill -QUIT $pid; while kill -0 $pid 2>&-; do sleep 0.1; done`,
      ])
      await startProgram(root, ports)
    },
    stop: () => root.stop(),
  }
}

interface Wanted {
  readonly ports: Ports
  readonly users: readonly string[]
}

async function furnish(root: Root, folder: string, { ports, users }: Wanted): Promise<void> {
  writeFileSync(join(folder, 'imapd.conf'), imapdText(folder))
  writeFileSync(join(folder, 'cyrus.conf'), masterText(ports))
  // The library looks in the realm that the client named, or in that of the server's own name.
  const setPasswords = ['cyrus', ...users.map((user) => user.slice(0, user.indexOf('@')))]
    .flatMap((user) => [domain, 'localhost'].map((realm) => `-u ${realm} ${user}`))
    .map((whose) => `echo ${password} | saslpasswd2 -p -c -f ${folder}/sasldb2 ${whose}\n`)
    .join('')
  await root.runWell('sh', [
    '-c',
    `set -e
    cp ${folder}/imapd.conf ${folder}/cyrus.conf /etc
    ${setPasswords}
    chown -R cyrus:mail ${folder}/lib ${folder}/mail ${folder}/sasldb2
    mkdir -p /run/cyrus/socket /run/cyrus/proc /run/cyrus/lock
    chown -R cyrus:mail /run/cyrus
    setpriv --reuid cyrus --regid mail --clear-groups /usr/lib/cyrus/bin/makedirs /etc/imapd.conf`,
  ])
}

async function startProgram(root: Root, { imap, lmtp }: Ports): Promise<void> {
  // It keeps what it was given as its output, and whoever waits for the end of that would wait for ever.
  await root.runWell('sh', ['-c', `exec /usr/sbin/cyrmaster -d -p ${masterPid} >/dev/null 2>&1`])
  await untilListening(imap)
  await untilListening(lmtp)
}

async function createMailboxes(port: number, users: readonly string[]): Promise<void> {
  const wire = await ImapWire.open({ host: '127.0.0.1', port })
  await wire.must(`LOGIN cyrus ${password}`)
  for (const user of users) await wire.must(`CREATE "user/${user}"`)
  wire.close()
}

function imapdText(folder: string): string {
  return `
configdirectory: ${folder}/lib
sievedir: ${folder}/lib/sieve
partition-default: ${folder}/mail
defaultpartition: default
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
idlesocket: /run/cyrus/socket/idle
admins: cyrus
allowplaintext: yes
sasl_mech_list: PLAIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: ${folder}/sasldb2
virtdomains: userid
defaultdomain: ${domain}
unixhierarchysep: yes
altnamespace: yes
servername: localhost
`
}

function masterText({ lmtp, imap }: Ports): string {
  return `
START {
  recover cmd="/usr/sbin/cyrus ctl_cyrusdb -r"
  idled cmd="/usr/lib/cyrus/bin/idled"
}
SERVICES {
  imap cmd="/usr/lib/cyrus/bin/imapd -U 30" listen="127.0.0.1:${imap}" prefork=0 maxchild=4000
  lmtp cmd="/usr/lib/cyrus/bin/lmtpd -a" listen="127.0.0.1:${lmtp}" prefork=0 maxchild=100
}
EVENTS {
}
`
}
