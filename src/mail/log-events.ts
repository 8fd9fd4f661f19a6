/**
 * Every event that can be logged, once. `facility` says which log takes it (mail or imap may be apart),
 * `level` its syslog severity, `says` the sentence in the docs. Classic line, JSON and docs print from this.
 */
export const LOG_EVENTS = {
  'server.started': {
    facility: 'daemon',
    level: 'notice',
    says: 'The server is up and all listeners are open.',
  },
  'server.failed': {
    facility: 'daemon',
    level: 'error',
    says: 'The server could not start; the sentence tells why.',
  },
  'server.note': {
    facility: 'daemon',
    level: 'notice',
    says: 'Something about the way the server runs that its owner should know.',
  },
  'server.stopping': {
    facility: 'daemon',
    level: 'notice',
    says: 'The server was asked to stop; work in hand is finished.',
  },
  'server.stopped': { facility: 'daemon', level: 'notice', says: 'The server has stopped.' },
  'server.reloaded': {
    facility: 'daemon',
    level: 'notice',
    says: 'The configuration was read again and is in force.',
  },
  'server.reload-refused': {
    facility: 'daemon',
    level: 'error',
    says: 'The new configuration has a mistake; the old one stays in force.',
  },
  'server.fault': {
    facility: 'daemon',
    level: 'error',
    says: 'Something in the server itself went wrong; the message tells what.',
  },
  'log.dropped': {
    facility: 'daemon',
    level: 'error',
    says: 'The log could not be written fast enough; so many lines are missing here.',
  },
  'listener.open': { facility: 'daemon', level: 'notice', says: 'A port is open.' },
  'listener.failed': { facility: 'daemon', level: 'error', says: 'A port could not be opened.' },
  'log.problem': {
    facility: 'daemon',
    level: 'error',
    says: 'A log could not be opened; the old one is still written.',
  },
  'tls.problem': {
    facility: 'daemon',
    level: 'warning',
    says: 'A certificate will not work for everybody, or not for long.',
  },
  'tls.renewed': { facility: 'daemon', level: 'notice', says: 'A certificate was made or renewed.' },
  'dkim.made': {
    facility: 'daemon',
    level: 'notice',
    says: 'DKIM keys of a domain were made; `hikyaku dkim show` prints the records to publish.',
  },
  'dkim.signing': {
    facility: 'daemon',
    level: 'notice',
    says: 'Mail of a domain is signed with these DKIM keys from now on.',
  },
  'dkim.problem': {
    facility: 'daemon',
    level: 'error',
    says: 'The DKIM keys of a domain could not be read or made: its mail goes out unsigned.',
  },
  connect: { facility: 'mail', level: 'info', says: 'A client connected.' },
  'connection.refused': {
    facility: 'mail',
    level: 'warning',
    says: 'A client was turned away: too many, of it or of its account, or a bad PROXY header.',
  },
  'load.shed': {
    facility: 'mail',
    level: 'warning',
    says: 'Memory was short: the client that held the most was put off (452) or cut off. Said at most every some seconds, with the count since.',
  },
  disconnect: { facility: 'mail', level: 'info', says: 'A client is gone.' },
  attack: { facility: 'mail', level: 'warning', says: 'A client did what only an attack does.' },
  tls: { facility: 'mail', level: 'info', says: 'TLS stands on a connection.' },
  'report.sent': {
    facility: 'mail',
    level: 'info',
    says: 'A DMARC report was queued for those who ask for it.',
  },
  'report.received': {
    facility: 'mail',
    level: 'info',
    says: 'A DMARC or TLS report about a domain of ours was read.',
  },
  'report.problem': {
    facility: 'mail',
    level: 'warning',
    says: 'A report could not be sent or read; the mail that carried it was delivered.',
  },
  'tls.failed': { facility: 'mail', level: 'info', says: 'A TLS handshake failed.' },
  'auth.ok': { facility: 'auth', level: 'info', says: 'Somebody logged in.' },
  'auth.failed': { facility: 'auth', level: 'warning', says: 'A log-in failed.' },
  'auth.blocked': {
    facility: 'auth',
    level: 'warning',
    says: 'An address or account has used up its failures and is blocked for a while.',
  },
  'message.accepted': { facility: 'mail', level: 'info', says: 'A message was accepted and is on disk.' },
  'message.refused': { facility: 'mail', level: 'info', says: 'A message or recipient was refused.' },
  'message.held': {
    facility: 'mail',
    level: 'notice',
    says: 'A message is held in the quarantine; its sender was answered as if it were delivered.',
  },
  'secondary.unknown-user': {
    facility: 'mail',
    level: 'warning',
    says: 'A backup server of ours took mail for somebody who is not here: it is held. Tell that server which recipients there are.',
  },
  'message.stored': { facility: 'mail', level: 'info', says: 'A message is in a mailbox.' },
  'message.damaged': {
    facility: 'mail',
    level: 'error',
    says: 'A stored message is damaged and not given out; all others are. Told once for each, and of no more than 20 a minute.',
  },
  'queue.attempt': { facility: 'mail', level: 'info', says: 'A delivery to another host was tried.' },
  'queue.dsn': { facility: 'mail', level: 'info', says: 'The sender was told about a delivery.' },
  'quarantine.released': {
    facility: 'mail',
    level: 'notice',
    says: 'A held message was released from the quarantine and delivered.',
  },
  'quarantine.deleted': { facility: 'mail', level: 'notice', says: 'A held message was deleted by hand.' },
  'quarantine.expired': {
    facility: 'mail',
    level: 'info',
    says: 'Held messages were deleted, their time being over or the quarantine full.',
  },
  'quarantine.digest': {
    facility: 'mail',
    level: 'info',
    says: 'An account was told what is held for it.',
  },
  'account.changed': {
    facility: 'auth',
    level: 'notice',
    says: 'An account, alias or password was changed.',
  },
  'imap.connect': { facility: 'imap', level: 'info', says: 'An IMAP client connected.' },
  'imap.disconnect': { facility: 'imap', level: 'info', says: 'An IMAP client is gone.' },
  'imap.bye': { facility: 'imap', level: 'info', says: 'An IMAP client was sent away; the reason is told.' },
  'imap.client': { facility: 'imap', level: 'debug', says: 'An IMAP client told its name and version.' },
  'imap.select': { facility: 'imap', level: 'debug', says: 'A mailbox was opened.' },
  'dns.failed': {
    facility: 'daemon',
    level: 'warning',
    says: 'A name could not be looked up for the time being.',
  },
  'store.note': {
    facility: 'daemon',
    level: 'notice',
    says: 'The store has something to tell; nothing is lost.',
  },
  'store.fault': {
    facility: 'daemon',
    level: 'error',
    says: 'The store could not write or read; what that means for the mail is told.',
  },
  'store.refusing': {
    facility: 'daemon',
    level: 'error',
    says: 'No mail is taken for now: the disk has no room (452), or a write to it failed (451). Nothing that was acknowledged is lost, and senders try again; mail can be read.',
  },
  'store.taking': { facility: 'daemon', level: 'notice', says: 'Mail is taken again.' },
  'backup.made': { facility: 'daemon', level: 'notice', says: 'A backup is whole and in its place.' },
  'backup.failed': {
    facility: 'daemon',
    level: 'error',
    says: 'A backup was not made; the sentence tells why. Nothing of it is left.',
  },
} as const satisfies Record<string, LogEventSpec>

export interface LogEventSpec {
  readonly facility: 'mail' | 'imap' | 'auth' | 'daemon'
  readonly level: 'error' | 'warning' | 'notice' | 'info' | 'debug'
  readonly says: string
}

export type LogEventName = keyof typeof LOG_EVENTS
