import { makeAddress, parseAddress } from '../../mail/address.ts'
import { assert } from '../../mail/assert.ts'
import { type AccountId, makeTraceId } from '../../mail/ids.ts'
import { composeDigest } from '../../pipeline/digest/compose.ts'
import { sendOwnMail } from '../../pipeline/own-mail.ts'
import type { Held } from '../../ports/quarantine.ts'
import type { OperationPorts } from '../operations/operation.ts'

/** The quarantine is looked at this often: anybody can have mail held, and what is beyond its room takes that of all other mail. */
const EVERY_MS = 60_000
/** Messages that one digest counts; more are told the next day. */
const MAX_IN_DIGEST = 500

/** What the quarantine needs without anybody asking: what is past its time goes, and once a day the accounts are told. */
export class QuarantineDuty {
  readonly #ports: OperationPorts
  readonly #believedNow: () => number
  #cancel: () => void = () => {}
  #running: Promise<void> = Promise.resolve()
  #isStopped = false
  /** The local day of the last digests, so that an hour brings them once. */
  #digestDay = ''

  constructor(ports: OperationPorts, believedNow: () => number) {
    this.#ports = ports
    this.#believedNow = believedNow
  }

  start(): void {
    this.#again(EVERY_MS)
  }

  /** What is under way is finished. */
  stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    return this.#running
  }

  /** One look; never rejects. */
  async run(): Promise<void> {
    try {
      await this.#expire()
      await this.#digest()
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error)
      this.#ports.log.event('server.fault', { where: 'quarantine', cause })
    }
  }

  #again(afterMs: number): void {
    this.#cancel = this.#ports.clock.after(afterMs, () => {
      this.#running = this.run().then(() => {
        if (!this.#isStopped) this.#again(EVERY_MS)
      })
    })
  }

  async #expire(): Promise<void> {
    const { max_size: maxBytes } = this.#ports.config().quarantine
    const gone = await this.#ports.quarantine.expire({ nowMs: this.#believedNow(), maxBytes })
    if (!gone.ok) throw new Error(gone.failure.cause)
    if (gone.value > 0) this.#ports.log.event('quarantine.expired', { messages: gone.value })
  }

  /** In the hour of the settings, or later that day where the server was not up then. */
  async #digest(): Promise<void> {
    const { digest, digest_hour } = this.#ports.config().quarantine
    const nowMs = this.#ports.clock.now()
    const local = new Date(nowMs + this.#ports.clock.zoneMinutes(nowMs) * 60_000)
    const day = local.toISOString().slice(0, 10)
    if (!digest || this.#digestDay === day || local.getUTCHours() < digest_hour) return
    for (const account of await this.#ports.quarantine.undigestedAccounts()) await this.#tell(account)
    this.#digestDay = day
  }

  /** A digest that is stored twice is better than one that never comes: it is marked afterwards. */
  async #tell(account: AccountId): Promise<void> {
    const { quarantine, intake, log } = this.#ports
    const held = await quarantine.undigested(account, MAX_IN_DIGEST)
    if (held.length === 0) return
    const mail = await this.#compose(account, held)
    if (mail === undefined) return
    const stored = await sendOwnMail(intake, mail)
    if (!stored.ok) {
      log.event('server.fault', {
        where: 'quarantine digest',
        account: mail.login,
        cause: stored.failure.cause,
      })
      return
    }
    const ids = held.map(({ id }) => id)
    const marked = await quarantine.markDigested(account, ids, mail.nowMs)
    if (!marked.ok) throw new Error(marked.failure.cause)
    log.event('quarantine.digest', { account: mail.login, messages: held.length }, mail.traceId)
  }

  async #compose(account: AccountId, held: readonly Held[]) {
    const { accounts, directory, clock, random } = this.#ports
    const config = this.#ports.config()
    const login = directory.loginOf(account)
    const to = login === undefined ? undefined : parseAddress(login)
    // Its mail goes with the account.
    if (login === undefined || to === undefined) return undefined
    const language = (await accounts.findAccount(login))?.language ?? config.quarantine.language
    const nowMs = clock.now()
    const traceId = makeTraceId(nowMs, random.bytes(10))
    const postmaster = makeAddress('postmaster', to.domain)
    assert(postmaster !== undefined, 'a domain with accounts has a postmaster')
    const content = composeDigest({
      to,
      postmaster,
      hostname: config.server.hostname,
      language,
      held,
      nowMs,
      zoneMinutes: clock.zoneMinutes(nowMs),
      unique: traceId,
    })
    const local = [{ account, login, overQuota: false }]
    return { traceId, content, to: [to], local, remote: [], rule: 'digest', smtputf8: false, nowMs, login }
  }
}
