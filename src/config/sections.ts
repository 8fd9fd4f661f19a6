import type { SectionName } from './settings.ts'

/** One sentence a section, for the sample file and the reference page. */
export const SECTIONS: Readonly<Record<SectionName, string>> = {
  server: 'Who this server is.',
  domains: 'Which mail ends here.',
  listen: 'Ports and sockets.',
  tls: 'Certificates; without any setting here the server makes its own.',
  smtp: 'How mail is taken.',
  submission: 'How your own people and devices hand in mail.',
  quarantine: 'What is held instead of delivered.',
  auth: 'Passwords.',
  policy: 'What becomes of mail from other servers that is not what it says it is.',
  dkim: 'Signatures on what your own people send.',
  reports: 'Reports on forged and genuine mail, to others and from others.',
  accounts: 'What a new account gets.',
  outbound: 'How mail leaves.',
  dns: 'How names are looked up.',
  log: 'What is written down.',
  traces: 'How long it is remembered what happened to each message.',
}
