import { MessageScanner } from '../../../mime/scanner.ts'
import type { DatabaseDamage } from './collect.ts'
import type { List, Output, Written } from './output.ts'

/** How many messages came out, and how. One in two mailboxes counts twice. */
export interface Counts {
  /** In their mailboxes, proved by their checksums. */
  sure: number
  /** Proved too, but nothing says any more which mailbox, or whose, they are. */
  lost: number
  doubtful: number
  /** Known of, and not to be had. */
  unreadable: number
  queued: number
  /** Of the quarantine. */
  held: number
}

/** Where a message was, as far as it is known. */
export interface Place {
  readonly account?: string | undefined
  readonly mailbox?: string | undefined
  readonly uid?: number | undefined
}

/** Writes down what came out and what did not. */
export class Report {
  readonly counts: Counts = { sure: 0, lost: 0, doubtful: 0, unreadable: 0, queued: 0, held: 0 }
  readonly #messages: List
  readonly #damage: List
  readonly #output: Output

  constructor(output: Output) {
    this.#output = output
    this.#messages = output.list(
      'messages.tsv',
      ...['account', 'mailbox', 'uid', 'flags', 'internaldate', 'size', 'path'],
    )
    this.#damage = output.list('damage.tsv', 'account', 'mailbox', 'uid', 'subject', 'what', 'path')
  }

  message(
    place: Place,
    written: Written,
    about: {
      readonly flags: string
      readonly date: string
      readonly sizeBytes: number
      readonly header: Uint8Array
    },
  ): void {
    const { account, mailbox, uid } = place
    this.#messages.add(account, mailbox, uid, about.flags, about.date, about.sizeBytes, written.path)
    if (written.doubt !== undefined) {
      this.counts.doubtful++
      this.#damage.add(account, mailbox, uid, subjectOf(about.header), written.doubt, written.path)
    } else if (mailbox === undefined) {
      this.counts.lost++
      this.#damage.add(
        account,
        mailbox,
        uid,
        subjectOf(about.header),
        'its mailbox is not known',
        written.path,
      )
    } else this.counts.sure++
  }

  queued(id: number, sender: string, written: Written, header: Uint8Array): void {
    this.counts.queued++
    this.#outside(`queue ${id}`, sender, written, header)
  }

  held(id: string, sender: string, written: Written, header: Uint8Array): void {
    this.counts.held++
    this.#outside(`quarantine ${id}`, sender, written, header)
  }

  /** Of what stands in no mailbox only what is not proved is told. */
  #outside(place: string, sender: string, written: Written, header: Uint8Array): void {
    if (written.doubt === undefined) return
    this.counts.doubtful++
    this.#damage.add('', place, '', subjectOf(header), `${written.doubt} (from ${sender})`, written.path)
  }

  unreadable(place: Place, why: string): void {
    this.counts.unreadable++
    this.#damage.add(place.account, place.mailbox, place.uid, '', why, '')
  }

  /** @returns the sentences that the operator is shown. */
  finish(damage: DatabaseDamage, folder: string): readonly string[] {
    this.#messages.close()
    this.#damage.close()
    const lines = summary(this.counts, damage)
    const head = [`Salvaged from ${folder} by hikyaku.`, '']
    this.#output.text('REPORT.txt', [...head, ...lines, '', ...GUIDE, ''].join('\n'))
    return lines
  }
}

const GUIDE: readonly string[] = [
  'accounts/LOGIN/Maildir   mail whose checksum proves it, as Maildir++: INBOX on top, `.Name.Below` for other mailboxes,',
  '                         names in modified UTF-7, flags in the files’ names, INTERNALDATE as the files’ time.',
  '                         `.lost+found` holds what has no mailbox any more.',
  'lost+found/Maildir       mail that is proved, too, but nothing says whose it is.',
  'queue/                   mail that had not gone out: ID.eml, and ID.json with its envelope.',
  'quarantine/              mail that was held: ID.eml, and ID.json with why and with where it would go. It may be forged.',
  'doubtful/                the same again for what no checksum proves: look at it before it is used.',
  'messages.tsv             every message with its flags by name and its INTERNALDATE.',
  'mailboxes.tsv            every mailbox with its folder; accounts.tsv and aliases.tsv. Passwords are to be set anew.',
  'damage.tsv               what could not be read, or not be proved.',
]

function summary(counts: Counts, damage: DatabaseDamage): string[] {
  const { doubtful, held, lost, queued, sure, unreadable } = counts
  return [
    `${number(sure, 'message')} in their mailboxes, each proved by its checksum.`,
    ...(queued === 0 ? [] : [`${number(queued, 'message')} of the queue.`]),
    ...(held === 0 ? [] : [`${number(held, 'message')} of the quarantine.`]),
    ...(lost === 0
      ? []
      : [`${number(lost, 'message')} in lost+found: proved, but their mailbox is not known.`]),
    ...(doubtful === 0
      ? []
      : [`${number(doubtful, 'message')} in doubtful/: look at them before you use them.`]),
    ...(unreadable === 0
      ? []
      : [`${number(unreadable, 'message')} could not be read; damage.tsv names them.`]),
    ...databaseLines(damage),
  ]
}

function databaseLines(damage: DatabaseDamage): string[] {
  const { frames, found, pages, rows, isFreeListDamaged, isSchemaDamaged } = damage
  const list = (counts: ReadonlyMap<string, number>): string =>
    [...counts].map(([name, count]) => `${count} of ${name}`).join(', ')
  const lines = [
    ...(pages.size === 0 ? [] : [`Damaged pages of the database: ${list(pages)}.`]),
    ...(rows.size === 0 ? [] : [`Damaged rows: ${list(rows)}.`]),
    ...(found === 0 ? [] : [`${number(found, 'page')} with rows, to which no tree led any more.`]),
    ...(frames === 0
      ? []
      : [`${number(frames, 'damaged frame')} of the log: the last changes to some pages are missing.`]),
    ...(isSchemaDamaged ? ['The list of tables is damaged: rows were known by their look.'] : []),
    ...(isFreeListDamaged
      ? ['The list of free pages is damaged: mail that had been deleted may be among what came out.']
      : []),
  ]
  return lines.length === 0 ? ['The database itself is whole.'] : lines
}

function number(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** For a person, decoded. */
function subjectOf(header: Uint8Array): string {
  const scanner = new MessageScanner()
  scanner.push(header)
  return scanner.end(new Uint8Array(0)).subject
}
