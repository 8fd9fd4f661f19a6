import { endsWith } from './message.ts'

/** What the world knows of one message: what was said of it to whoever sent it. */
export interface Sent {
  readonly token: string
  readonly content: Uint8Array
  /** `submission`, `lmtp`, or `append` to the account that `recipients` names. */
  readonly via: 'submission' | 'lmtp' | 'append'
  readonly server: string
  readonly sender: string
  readonly recipients: readonly string[]
  /** By recipient; 'unknown' until something is known, as when the connection broke behind the final dot. */
  readonly outcomes: Map<string, 'accepted' | 'refused' | 'unknown'>
}

/** Attempts of one item at one recipient whose end the queue does not know, so that it may go twice. */
export interface Handover {
  readonly life: object
  readonly traceId: string
  readonly recipient: string
}

/** The truth that the world is measured by, kept beside the servers and out of their reach. */
export class Ledger {
  readonly sent = new Map<string, Sent>()
  readonly broken: string[] = []
  doubts = 0
  faults = 0
  readonly #mayBeGone = new Set<string>()
  readonly #mayMiss = new Set<string>()
  readonly #moved = new Set<string>()
  readonly #copies = new Map<string, number>()
  readonly #doubts = new Map<string, number>()
  readonly #open = new Set<Handover>()
  readonly #uids = new Map<string, string>()
  readonly #modseqs = new Map<string, number>()

  /** An invariant does not hold. */
  broke(what: string): void {
    this.broken.push(what)
  }

  /** A client asked for something that may have taken one copy of the message out of the account. */
  mayBeGone(account: string, token: string): void {
    this.#mayBeGone.add(`${account} ${token}`)
  }

  isPerhapsGone(account: string, token: string): boolean {
    return this.#mayBeGone.has(`${account} ${token}`)
  }

  /** A client asked for the message to be moved: where it is then no trace says. */
  moved(account: string, token: string): void {
    this.#moved.add(`${account} ${token}`)
  }

  isMoved(account: string, token: string): boolean {
    return this.#moved.has(`${account} ${token}`)
  }

  /** From some moment on mail for the alias may not come to the account. */
  mayMiss(alias: string, account: string): void {
    this.#mayMiss.add(`${alias} ${account}`)
  }

  isPerhapsMissed(alias: string, account: string): boolean {
    return this.#mayMiss.has(`${alias} ${account}`)
  }

  copied(account: string, token: string): void {
    const key = `${account} ${token}`
    this.#copies.set(key, (this.#copies.get(key) ?? 0) + 1)
  }

  copies(account: string, token: string): number {
    return this.#copies.get(`${account} ${token}`) ?? 0
  }

  /** An attempt begins; `settle` must follow, or it stays in doubt. */
  begin(handover: Handover): Handover {
    this.#open.add(handover)
    return handover
  }

  settle(handover: Handover, isDoubtful: boolean): void {
    if (this.#open.delete(handover) && isDoubtful) this.#doubt(handover)
  }

  /** A life ended: what it had under way may have arrived and will go again. */
  lifeEnded(life: object): void {
    for (const handover of this.#open)
      if (handover.life === life) {
        this.#open.delete(handover)
        this.#doubt(handover)
      }
  }

  /** How often the message may have gone to this recipient once more than was recorded. */
  doubtsOf(traceId: string, recipient: string): number {
    return this.#doubts.get(`${traceId} ${recipient}`) ?? 0
  }

  #doubt({ traceId, recipient }: Handover): void {
    this.doubts++
    const key = `${traceId} ${recipient}`
    this.#doubts.set(key, (this.#doubts.get(key) ?? 0) + 1)
  }

  /** One UID of one UIDVALIDITY means one message, for ever. */
  saw(server: string, uidValidity: number, uid: number, what: string): void {
    const key = `${server} ${uidValidity} ${uid}`
    const known = this.#uids.get(key)
    if (known === undefined) this.#uids.set(key, what)
    else if (known !== what)
      this.broke(`UID ${uid} of UIDVALIDITY ${uidValidity} at ${server} was ${known} and is ${what}`)
  }

  /** A message as somebody got it: what was sent, behind fields that servers put in front. */
  read(token: string, octets: Uint8Array): void {
    const sent = this.sent.get(token)
    if (sent !== undefined && !endsWith(octets, sent.content)) this.broke(`${token} is not what was sent`)
    if (sent === undefined && token !== '-') this.broke(`${token} was sent by nobody`)
  }

  /** A number that never gets smaller: HIGHESTMODSEQ, UIDNEXT. */
  grows(what: string, value: number): void {
    const known = this.#modseqs.get(what) ?? 0
    if (value < known) this.broke(`${what} was ${known} and is ${value}`)
    this.#modseqs.set(what, Math.max(known, value))
  }
}
