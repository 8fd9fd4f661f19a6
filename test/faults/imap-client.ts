// One IMAP connection: a command, its untagged answers, its end.

import type { Wire } from '../../src/app/wire.test-kit.ts'
import { SaidNo } from './smtp-client.ts'

/** One answer: its text with `{}` in the place of each literal. */
export interface Answer {
  readonly text: string
  readonly literals: readonly Buffer[]
}

export interface FetchedRow {
  readonly uid: number
  /** Sorted, without \Recent. */
  readonly flags: string
  readonly octets: Buffer | undefined
}

export class ImapClient {
  readonly #wire: Wire
  #tags = 0

  constructor(wire: Wire) {
    this.#wire = wire
  }

  async logIn(login: string, password: string): Promise<void> {
    await this.#answer()
    await this.command(`LOGIN ${login} "${password}"`)
  }

  /** Gives the untagged answers. Rejects with `SaidNo` where the end is not OK. */
  async command(text: string, literal?: Uint8Array): Promise<readonly Answer[]> {
    const tag = `t${++this.#tags}`
    if (literal === undefined) this.#wire.send(`${tag} ${text}\r\n`)
    else {
      this.#wire.send(`${tag} ${text} {${literal.length}+}\r\n`)
      this.#wire.send(literal)
      this.#wire.send('\r\n')
    }
    const answers: Answer[] = []
    for (;;) {
      const answer = await this.#answer()
      if (!answer.text.startsWith(`${tag} `)) answers.push(answer)
      else if (answer.text.startsWith(`${tag} OK`)) return answers
      else throw new SaidNo(`${text.slice(0, 80)}: ${answer.text}`)
    }
  }

  async fetch(uids: string, items: string): Promise<readonly FetchedRow[]> {
    const rows: FetchedRow[] = []
    for (const { text, literals } of await this.command(`UID FETCH ${uids} (${items})`)) {
      const uid = /^\* \d+ FETCH .*\bUID (\d+)/.exec(text)?.[1]
      const flags = /\bFLAGS \(([^)]*)\)/.exec(text)?.[1] ?? ''
      if (uid !== undefined) rows.push({ uid: Number(uid), flags: sortedFlags(flags), octets: literals[0] })
    }
    return rows
  }

  /** Every selectable mailbox. */
  async list(): Promise<readonly string[]> {
    const answers = await this.command('LIST "" "*"')
    return answers.flatMap(({ text }) => {
      const match = /^\* LIST \(([^)]*)\) "." (?:"([^"]*)"|(\S+))$/.exec(text)
      return match === null || /\\Noselect|\\NonExistent/.test(match[1] ?? '')
        ? []
        : [match[2] ?? match[3] ?? '']
    })
  }

  /** Gives UIDVALIDITY. */
  async select(mailbox: string, verb: 'SELECT' | 'EXAMINE' = 'SELECT'): Promise<number> {
    const answers = await this.command(`${verb} "${mailbox}"`)
    const validity = answers.map(({ text }) => /\[UIDVALIDITY (\d+)\]/.exec(text)?.[1]).find(Boolean)
    return Number(validity)
  }

  close(): void {
    this.#wire.socket.destroy()
  }

  async #answer(): Promise<Answer> {
    const literals: Buffer[] = []
    let text = ''
    for (;;) {
      const line = await this.#wire.line()
      const size = /~?\{(\d+)\}$/.exec(line)
      if (size === null) return { text: text + line, literals }
      text += `${line.slice(0, size.index)}{}`
      literals.push(await this.#wire.octets(Number(size[1])))
    }
  }
}

export function sortedFlags(flags: string): string {
  return flags
    .split(' ')
    .filter((flag) => flag !== '' && flag !== '\\Recent')
    .toSorted()
    .join(' ')
}
