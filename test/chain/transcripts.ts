// Reads the record of the real chain, testdata/chain/transcripts.md: what each row of the acceptance table sent.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One `###` section. Octets are kept as latin1 text, lines end in LF. */
export interface Row {
  readonly id: string
  readonly title: string
  /** Where it came from, and what it called itself; none where the section is only a dialogue. */
  readonly client?: string | undefined
  readonly helo?: string | undefined
  /** The domain that signed it. */
  readonly signedBy?: string | undefined
  /** The message as composed, before it was signed. */
  readonly composed?: string | undefined
  /** The signature that was put in front, where the record holds the header that was stored. */
  readonly signature?: string | undefined
  /** What the client sent, command by command. */
  readonly commands: readonly string[]
  /** Behind `MAIL FROM:` and `RCPT TO:`. */
  readonly mail?: string | undefined
  readonly recipients: readonly string[]
}

/** The folder of the record, or undefined where the test data is not there. */
export function chainFolder(): string | undefined {
  const data = process.env.HIKYAKU_TESTDATA
  return data === undefined || data === '' ? undefined : join(data, 'chain')
}

export function readTranscripts(folder: string): ReadonlyMap<string, Row> {
  const text = readFileSync(join(folder, 'transcripts.md'), 'latin1')
  const signatures = signaturesByMessageId(text)
  const rows = new Map<string, Row>()
  for (const section of text.split(/^### /m).slice(1)) {
    const row = readRow(section, signatures)
    // Numbers that come twice are deliveries that only prepare something.
    if (!rows.has(row.id)) rows.set(row.id, row)
  }
  return rows
}

function readRow(section: string, signatures: ReadonlyMap<string, readonly string[]>): Row {
  const [, id = '', title = ''] = /^(\S+) (.*)\n/.exec(section) ?? []
  const head = /^Client (\S+) \(HELO ([^)]*)\)(?: DKIM-signed by (\S+?))?; message as composed:$/m.exec(
    section,
  )
  const composed = /message as composed:\n```\n([\s\S]*?\n)```\n/.exec(section)?.[1]
  const dialogue = /^SMTP dialogue:\n```\n([\s\S]*?)```\n/m.exec(section)?.[1] ?? ''
  const commands = [...dialogue.matchAll(/^C: (.*)$/gm)].map((match) => match[1] ?? '')
  const behind = (verb: string) =>
    commands.flatMap((line) => (line.startsWith(verb) ? [line.slice(verb.length)] : []))
  const own = composed === undefined ? undefined : signatures.get(messageIdOf(composed) ?? '')
  return {
    ...{ id, title, client: head?.[1], helo: head?.[2], signedBy: head?.[3], composed, commands },
    signature: own?.find((signature) => !composed?.includes(signature)),
    mail: behind('MAIL FROM:')[0],
    recipients: behind('RCPT TO:'),
  }
}

/** The signatures of every header that is shown as stored, in a mailbox or in the files of the quarantine. */
function signaturesByMessageId(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  for (const [, block = ''] of text.matchAll(/^```\n([\s\S]*?\n)```$/gm)) {
    const header = block.replace(/^H[^\n?]*\?[^\n?]*\?/gm, '')
    const id = messageIdOf(header)
    const signatures = [...header.matchAll(/^DKIM-Signature:.*\n(?:[ \t].*\n)*/gm)].map(([field]) => field)
    // The composed message comes first and may hold a signature of its own; the stored header holds all.
    if (id !== undefined && signatures.length > 0) found.set(id, signatures)
  }
  return found
}

export function messageIdOf(header: string): string | undefined {
  return /^Message-ID: (<.*>)$/m.exec(header)?.[1]
}
