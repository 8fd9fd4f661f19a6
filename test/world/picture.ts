import type { ImapResponse } from '../../src/protocol/imap/response.ts'
import { tokenOf } from './message.ts'

/** What a client may know of one message. */
export interface Known {
  uid: number | undefined
  /** Sorted, without \Recent. */
  flags: string | undefined
  token: string | undefined
}

/** Commands during whose work sequence numbers must not change (rfc3501 §7.4.1). */
const STILL: ReadonlySet<string> = new Set(['fetch', 'store', 'search', 'uid-less'])

/**
 * A client's picture of its mailbox, made of nothing but what the server said. What does not fit is told at once.
 */
export class Picture {
  uidValidity = 0
  readonly messages: Known[] = []
  readonly #broke: (what: string) => void
  readonly #saw: (uidValidity: number, uid: number, token: string) => void
  readonly #read: (token: string, octets: Uint8Array) => void

  constructor(hooks: {
    broke(what: string): void
    /** A UID and what is under it. */
    saw(uidValidity: number, uid: number, token: string): void
    /** A whole message. */
    read(token: string, octets: Uint8Array): void
  }) {
    this.#broke = (what) => hooks.broke(what)
    this.#read = (token, octets) => hooks.read(token, octets)
    this.#saw = (uidValidity, uid, token) => hooks.saw(uidValidity, uid, token)
  }

  /** @param during the command under way; undefined: none. */
  told(response: ImapResponse, during: string | undefined): void {
    if (response.kind === 'exists') this.#exists(response.count)
    else if (response.kind === 'expunge') this.#expunge(response.sequence, during)
    else if (response.kind === 'fetch') this.#fetch(response)
    else if (response.kind === 'condition' && typeof response.code === 'object') {
      if (response.code.kind === 'uidvalidity') this.uidValidity = response.code.value
    }
  }

  #exists(count: number): void {
    if (count < this.messages.length) this.#broke(`${count} EXISTS after ${this.messages.length}`)
    while (this.messages.length < count)
      this.messages.push({ uid: undefined, flags: undefined, token: undefined })
  }

  #expunge(sequence: number, during: string | undefined): void {
    if (during === undefined || STILL.has(during))
      this.#broke(`${sequence} EXPUNGE in ${during ?? 'silence'}`)
    if (sequence < 1 || sequence > this.messages.length)
      this.#broke(`${sequence} EXPUNGE of ${this.messages.length}`)
    else this.messages.splice(sequence - 1, 1)
  }

  #fetch(response: Extract<ImapResponse, { kind: 'fetch' }>): void {
    const { sequence, items } = response
    const known = this.messages[sequence - 1]
    if (known === undefined) {
      this.#broke(`${sequence} FETCH of ${this.messages.length}`)
      return
    }
    for (const item of items) {
      if (item.kind === 'uid') this.#uid(sequence, known, item.uid)
      else if (item.kind === 'flags') known.flags = flagsText(item.flags.slice(1, -1).split(' '))
      else if (item.kind === 'section' && item.octets !== null && item.item.section.part.length === 0) {
        this.#token(sequence, known, tokenOf(item.octets))
        if (item.item.section.text === undefined) this.#read(tokenOf(item.octets), item.octets)
      }
    }
  }

  #uid(sequence: number, known: Known, uid: number): void {
    if (known.uid !== undefined && known.uid !== uid)
      this.#broke(`message ${sequence} was UID ${known.uid}, is ${uid}`)
    known.uid = uid
    const before = this.messages.slice(0, sequence - 1).findLast((one) => one.uid !== undefined)?.uid ?? 0
    if (uid <= before) this.#broke(`UID ${uid} at ${sequence} behind UID ${before}`)
    if (known.token !== undefined) this.#saw(this.uidValidity, uid, known.token)
  }

  #token(sequence: number, known: Known, token: string): void {
    if (known.token !== undefined && known.token !== token)
      this.#broke(`message ${sequence} was ${known.token}, is ${token}`)
    known.token = token
    if (known.uid !== undefined) this.#saw(this.uidValidity, known.uid, token)
  }
}

export function flagsText(names: readonly string[]): string {
  return names
    .filter((name) => name !== '' && name !== '\\Recent')
    .sort()
    .join(' ')
}
