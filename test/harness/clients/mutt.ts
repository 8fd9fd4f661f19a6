// mutt, driven by keys in a terminal that script(1) makes: it has habits that no library has.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Ran, run } from '../run.ts'
import type { Login } from './login.ts'

export interface Mutt {
  /**
   * Opens a mailbox and presses keys, in mutt's own notation (`<delete-message>`); the last must quit.
   * Rejects when mutt does not end: then the screen so far is in the error.
   */
  press(mailbox: string, keys: string): Promise<Ran>
}

/** Writes the configuration into an empty folder. Passwords come by environment. */
export function makeMutt(login: Login, folder: string): Mutt {
  const config = join(folder, 'muttrc')
  mkdirSync(join(folder, 'cache'))
  writeFileSync(config, configuration(login, folder))
  const scheme = login.tls === 'implicit' ? 'imaps' : 'imap'
  const root = `${scheme}://${login.host}:${login.port}/`
  return {
    press: (mailbox, keys) => {
      const script = join(folder, 'keys')
      writeFileSync(script, `push "${keys}"\n`)
      const command = `mutt -n -F ${config} -f ${root}${mailbox} -e 'source ${script}'`
      return run('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
        env: {
          HIKYAKU_TEST_PASSWORD: login.password,
          HOME: folder,
          TERM: 'vt100',
          LANG: 'C.UTF-8',
          LINES: '40',
        },
      })
    },
  }
}

function configuration(login: Login, folder: string): string {
  const scheme = login.tls === 'implicit' ? 'imaps' : 'imap'
  return `set folder="${scheme}://${login.host}:${login.port}/"
set imap_user="${login.user}"
set imap_pass="\`printenv HIKYAKU_TEST_PASSWORD\`"
set ssl_force_tls=yes ssl_starttls=yes ssl_ca_certificates_file="${login.caFile}" certificate_file="${folder}/accepted"
set header_cache="" message_cachedir="" tmpdir="${folder}/cache"
set mail_check=5 timeout=5 connect_timeout=20 imap_keepalive=300
# No questions: every key that the test presses is an order.
set delete=yes quit=yes confirmappend=no confirmcreate=no copy=no move=no mark_old=no wait_key=no beep=no
set postponed="=Drafts" record="" trash="" sort=mailbox-order auto_tag=yes
set resolve=no
`
}
