// Dovecot behind Postfix, in a root of its own: one server, in which half of the accounts are kept as sdbox and half as Maildir.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openRoot, type Root } from '../../test/harness/overlay.ts'
import { untilListening } from '../../test/harness/until.ts'
import { processesInNamespaceOf } from '../processes.ts'
import type { Author } from '../signed.ts'
import { milterPackages, milterUsers, startMilters } from './milters.ts'
import { frontAbout, queueFolder, startPostfixFront } from './postfix-front.ts'
import { accountsOf, diskBytesOf, freePorts, type Host, type MailSystem, type Ports } from './system.ts'

interface Format {
  readonly name: MailSystem['name']
  readonly title: string
  readonly prefix: string
  /** mail_location of its accounts. */
  readonly location: string
}

const formats: readonly Format[] = [
  { name: 'dovecot-sdbox', title: 'Postfix + Dovecot sdbox', prefix: 'sdbox-', location: 'sdbox:~/sdbox' },
  {
    name: 'dovecot-maildir',
    title: 'Postfix + Dovecot Maildir',
    prefix: 'maildir-',
    location: 'maildir:~/Maildir',
  },
]

/** The same with milters that judge what comes in, for mail that is compared with ours when we judge it too. */
const chain: Format = {
  ...(formats[0] as Format),
  name: 'chain',
  title: 'Postfix + opendkim, opendmarc + Dovecot sdbox',
}

/**
 * Starts both programs. `folder` is empty, on the disk to be measured, and others may look into it.
 * @param author of mail that is judged: with milters, and with Dovecot's sdbox alone.
 */
export async function startDovecot(folder: string, author?: Author): Promise<Host> {
  const [smtp = 0, lmtp = 0, imap = 0] = await freePorts(3)
  const spool = join(folder, 'spool')
  const mail = join(folder, 'mail')
  for (const each of [spool, mail]) mkdirSync(each)
  const root = await openRoot({
    packages: ['dovecot-imapd', 'dovecot-lmtpd', 'postfix', ...(author ? milterPackages : [])],
    users: ['postfix', 'dovecot', 'dovenull', 'vmail', ...(author ? milterUsers : [])],
    groups: ['postdrop'],
    shared: folder,
    sockets: { [queueFolder]: spool },
  })
  try {
    await root.runWell('chown', ['vmail:vmail', mail])
    writeFileSync(join(folder, 'dovecot.conf'), configText(folder, { smtp, lmtp, imap }))
    writeFileSync(join(folder, 'users'), await usersText(root, mail))
    await startProgram(root, folder, imap)
    const settings = author && (await startMilters(root, folder))
    await startPostfixFront(root, { folder, smtp, lmtp, settings })
  } catch (error) {
    await root.stop()
    throw error
  }
  return {
    systems: (author ? [chain] : formats).map((format) => ({
      ...systemOf(format, root, { smtp, lmtp, imap }, { spool, mail }),
      ...(author ? { author, about: chainAbout } : {}),
    })),
    restart: async () => {
      await root.runWell('doveadm', ['-c', join(folder, 'dovecot.conf'), 'stop'])
      await startProgram(root, folder, imap)
    },
    stop: () => root.stop(),
  }
}

const chainAbout = `${frontAbout.replace('no content checks, ', '')}, with the milters opendkim 2.11 (verifying) and opendmarc 1.4 (refusing failures, SPF by itself), no log of theirs; Dovecot 2.3 as in the others`

async function startProgram(root: Root, folder: string, imap: number): Promise<void> {
  // It keeps what it was given as its output, and whoever waits for the end of that would wait for ever.
  await root.runWell('sh', ['-c', `exec dovecot -c ${folder}/dovecot.conf >/dev/null 2>&1`])
  await untilListening(imap)
}

function systemOf(
  { name, title, prefix }: Format,
  root: Root,
  ports: Ports,
  folders: { readonly spool: string; readonly mail: string },
): MailSystem {
  return {
    name,
    title,
    ports,
    ...accountsOf(prefix),
    processes: () => processesInNamespaceOf(root.firstPid),
    diskBytes: () => diskBytesOf(folders.mail) + diskBytesOf(folders.spool),
    about: `${frontAbout}; Dovecot 2.3 with its defaults (mail_fsync = optimized), clear-text passwords in a file, login processes that serve many clients, limits raised for 2,000 clients`,
  }
}

function configText(folder: string, { lmtp, imap }: Ports): string {
  return `
protocols = imap lmtp
listen = 127.0.0.1
base_dir = /run/dovecot
log_path = ${folder}/dovecot.log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_fsync = optimized
mail_location = sdbox:~/sdbox
mail_max_userip_connections = 0
default_client_limit = 10000
default_process_limit = 4000
passdb {
  driver = passwd-file
  args = username_format=%n ${folder}/users
}
userdb {
  driver = passwd-file
  args = username_format=%n ${folder}/users
}
service imap-login {
  service_count = 0
  process_min_avail = 2
  process_limit = 20
  inet_listener imap {
    port = ${imap}
  }
  inet_listener imaps {
    port = 0
  }
}
service imap {
  process_limit = 4000
}
service lmtp {
  inet_listener lmtp {
    port = ${lmtp}
  }
}
`
}

async function usersText(root: Root, mail: string): Promise<string> {
  const id = (what: string) => root.runWell('id', [what, 'vmail']).then((ran) => ran.stdout.toString().trim())
  const [uid, gid] = await Promise.all([id('-u'), id('-g')])
  const lines = formats.flatMap(({ prefix, location }) => {
    const { many, reader, idler } = accountsOf(prefix)
    return [...many, reader, idler].map(({ user, password }) => {
      const local = user.slice(0, user.indexOf('@'))
      return `${local}:{PLAIN}${password}:${uid}:${gid}::${mail}/${local}::userdb_mail=${location}\n`
    })
  })
  return lines.join('')
}
