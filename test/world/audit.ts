import type { TraceEvent } from '../../src/mail/trace.ts'
import type { Ledger, Sent } from './ledger.ts'
import { leavesOf } from './people.ts'
import type { Picture } from './picture.ts'
import type { State, StoredMailbox } from './state.ts'

/** A report without its message, which could not be read at that moment. */
const NO_ORIGINAL = '-'

/** Traces of one message at one server. */
interface Track {
  readonly server: string
  readonly traceId: string
  readonly events: readonly TraceEvent[]
}

interface Parts {
  readonly ledger: Ledger
  /** By domain, when everything rests. */
  readonly states: ReadonlyMap<string, State>
}

/** The end of a world: what was promised, what is there, and what the traces say of it. */
export function audit({ ledger, states }: Parts): void {
  const domains = [...states.keys()]
  const tracks = findTracks(states)
  const copies = countCopies(ledger, states)
  const reports = countReports(states)
  for (const [domain, state] of states) {
    if (state.queued > 0) ledger.broke(`${domain}: ${state.queued} messages are still in the queue`)
  }
  for (const sent of ledger.sent.values()) {
    const own = tracks.get(sent.token) ?? []
    auditCopies(ledger, sent, { domains, tracks: own, copies })
    if (sent.via !== 'append') auditTraces(ledger, sent, own)
    auditReports(ledger, sent, { tracks: own, reports, states })
  }
  for (const key of reports.keys()) {
    const [token = ''] = key.split(' ')
    if (!ledger.sent.has(token) && token !== NO_ORIGINAL)
      ledger.broke(`a report of ${token}, which nobody sent`)
  }
}

function findTracks(states: ReadonlyMap<string, State>): Map<string, Track[]> {
  const tracks = new Map<string, Track[]>()
  for (const [server, { traces }] of states)
    for (const [traceId, events] of traces)
      for (const event of events)
        if (event.kind === 'received' && event.subject !== undefined) {
          const own = tracks.get(event.subject) ?? []
          own.push({ server, traceId, events })
          tracks.set(event.subject, own)
        }
  return tracks
}

/** Copies by account and token; each message is what was sent, and each UID is whose it always was. */
function countCopies(ledger: Ledger, states: ReadonlyMap<string, State>): ReadonlyMap<string, number> {
  const copies = new Map<string, number>()
  for (const [domain, { mailboxes, traces }] of states) {
    const stored = new Set(
      [...traces.values()]
        .flat()
        .flatMap((event) => (event.kind === 'stored' ? [`${event.account} ${event.uid}`] : [])),
    )
    for (const mailbox of mailboxes) {
      if (mailbox.messages.some(({ uid }) => uid >= mailbox.uidNext))
        ledger.broke(`${mailbox.login} ${mailbox.name}: UIDNEXT is not above every UID`)
      for (const { uid, token, octets } of mailbox.messages) {
        ledger.saw(domain, mailbox.uidValidity, uid, token)
        ledger.read(token, octets)
        const key = `${mailbox.login} ${token}`
        copies.set(key, (copies.get(key) ?? 0) + 1)
      }
    }
    auditStored(ledger, mailboxes, stored)
  }
  return copies
}

/** Every message in an INBOX that was delivered came with a trace that says so; copies and moves have none. */
function auditStored(ledger: Ledger, mailboxes: readonly StoredMailbox[], stored: ReadonlySet<string>): void {
  for (const { login, name, messages } of mailboxes) {
    if (name !== 'INBOX') continue
    for (const { uid, token } of messages) {
      const isCopied = ledger.copies(login, token) > 0 || ledger.isMoved(login, token)
      const isAppended = ledger.sent.get(token)?.via === 'append'
      if (!isCopied && !isAppended && !stored.has(`${login} ${uid}`))
        ledger.broke(`${token} in the INBOX of ${login} has no trace`)
    }
  }
}

/** Failed recipients named by reports in their senders' accounts, by token, recipient and account. */
function countReports(states: ReadonlyMap<string, State>): ReadonlyMap<string, number> {
  const reports = new Map<string, number>()
  for (const { mailboxes } of states.values())
    for (const { login, messages } of mailboxes)
      for (const { report } of messages)
        for (const recipient of report?.failed ?? []) {
          const key = `${report?.token} ${recipient} ${login}`
          reports.set(key, (reports.get(key) ?? 0) + 1)
        }
  return reports
}

interface Evidence {
  readonly domains: readonly string[]
  readonly tracks: readonly Track[]
  readonly copies: ReadonlyMap<string, number>
}

/** Exactly once where it should be: more only where a connection broke at the wrong moment, less only where the sender was told. */
function auditCopies(ledger: Ledger, sent: Sent, { domains, tracks, copies }: Evidence): void {
  const expected = new Set<string>()
  for (const [recipient, outcome] of sent.outcomes) {
    const leaves = sent.via === 'append' ? [recipient] : leavesOf(recipient, domains)
    for (const leaf of leaves) {
      expected.add(leaf)
      const count = copies.get(`${leaf} ${sent.token}`) ?? 0
      const doubts = doubtsAbout(ledger, tracks, leaf, domains)
      const isGone = ledger.isPerhapsGone(leaf, sent.token) || ledger.isPerhapsMissed(recipient, leaf)
      const isFailed = endedFor(tracks, leaf, domains).length > 0
      const most = (outcome === 'refused' ? 0 : 1) + doubts + ledger.copies(leaf, sent.token)
      const least = outcome === 'accepted' && !isGone && !isFailed ? 1 : 0
      const what = `${sent.token} (${sent.via} at ${sent.server}, ${outcome}) is ${count} times in ${leaf}`
      if (count > most) ledger.broke(`${what}, at most ${most} expected`)
      if (count < least) ledger.broke(`${what}, at least ${least} expected`)
      if (isFailed && count > 0 && doubts === 0 && !isCancelled(tracks))
        ledger.broke(`${what} and was reported as failed`)
    }
  }
  for (const key of copies.keys()) {
    const [login = '', token] = key.split(' ')
    if (token === sent.token && !expected.has(login))
      ledger.broke(`${token} is in ${login}, which it was not sent to`)
  }
}

function doubtsAbout(
  ledger: Ledger,
  tracks: readonly Track[],
  leaf: string,
  domains: readonly string[],
): number {
  let doubts = 0
  for (const { traceId, events } of tracks)
    for (const recipient of queuedIn(events))
      if (leavesOf(recipient, domains).includes(leaf)) doubts += ledger.doubtsOf(traceId, recipient)
  return doubts
}

/** Recipients that were given up or cancelled on the way to this account. */
function endedFor(tracks: readonly Track[], leaf: string, domains: readonly string[]): readonly string[] {
  return tracks
    .flatMap(({ events }) => events)
    .flatMap((event) =>
      (event.kind === 'attempt' && event.outcome === 'failed') || event.kind === 'cancelled'
        ? event.recipients
        : [],
    )
    .filter((recipient) => leavesOf(recipient, domains).includes(leaf))
}

function isCancelled(tracks: readonly Track[]): boolean {
  return tracks.some(({ events }) => events.some(({ kind }) => kind === 'cancelled'))
}

function queuedIn(events: readonly TraceEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === 'queued' ? event.recipients : []))
}

/** Accepted mail has a trace, and the last thing that it says of each recipient is an end. */
function auditTraces(ledger: Ledger, sent: Sent, tracks: readonly Track[]): void {
  const isAccepted = [...sent.outcomes.values()].includes('accepted')
  const here = tracks.filter(({ server }) => server === sent.server)
  if (isAccepted && !here.some(({ events }) => events.some(isAcceptance)))
    ledger.broke(`${sent.token} was accepted at ${sent.server} and no trace says so`)
  for (const { server, traceId, events } of tracks)
    for (const recipient of queuedIn(events)) {
      const last = events.findLast((event) => isAbout(event, recipient))
      const isEnd =
        last?.kind === 'cancelled' || (last?.kind === 'attempt' && last.nextAttemptAtMs === undefined)
      if (events.some(isAcceptance) && !isEnd)
        ledger.broke(
          `${sent.token} at ${server}: trace ${traceId} leaves ${recipient} at ${last?.kind ?? 'nothing'}`,
        )
    }
}

function isAcceptance(event: TraceEvent): boolean {
  return event.kind === 'decision' && event.action === 'accept'
}

function isAbout(event: TraceEvent, recipient: string): boolean {
  return (event.kind === 'attempt' || event.kind === 'cancelled') && event.recipients.includes(recipient)
}

/** Who gave mail to a server is told of each recipient that it gave up, once. */
function auditReports(
  ledger: Ledger,
  sent: Sent,
  given: {
    readonly tracks: readonly Track[]
    readonly reports: ReadonlyMap<string, number>
    readonly states: ReadonlyMap<string, State>
  },
): void {
  const failures = new Map<string, { least: number; most: number }>()
  for (const track of given.tracks)
    for (const event of track.events) {
      if (event.kind !== 'attempt' || event.outcome !== 'failed') continue
      for (const recipient of event.recipients) {
        const { least, most } = reportsDue(ledger, track, { sender: sent.sender, states: given.states })
        const so = failures.get(recipient) ?? { least: 0, most: 0 }
        failures.set(recipient, { least: so.least + least, most: so.most + most })
      }
    }
  for (const [recipient, { least, most }] of failures) {
    const count = given.reports.get(`${sent.token} ${recipient} ${sent.sender}`) ?? 0
    const nameless = given.reports.get(`${NO_ORIGINAL} ${recipient} ${sent.sender}`) ?? 0
    if (count + nameless < least)
      ledger.broke(`${sent.token} failed for ${recipient} and ${sent.sender} was never told`)
    if (count > most)
      ledger.broke(`${sent.sender} was told ${count} times that ${sent.token} failed for ${recipient}`)
  }
  for (const key of given.reports.keys()) {
    const [token, recipient = '', login] = key.split(' ')
    if (token === sent.token && !(login === sent.sender && failures.has(recipient)))
      ledger.broke(`${login} was told that ${token} failed for ${recipient}, which no trace says`)
  }
}

/** How many reports one failed recipient makes: one, more where it went again in doubt, none where it failed itself. */
function reportsDue(
  ledger: Ledger,
  { server, events }: Track,
  at: { readonly sender: string; readonly states: ReadonlyMap<string, State> },
): { readonly least: number; readonly most: number } {
  const notes = events.filter((event) => event.kind === 'dsn' && event.action === 'failed')
  const own = at.states.get(server)?.traces
  const ids = notes.flatMap((event) => (event.kind === 'dsn' ? [event.traceId] : []))
  const isLost = ids.some((id) =>
    own?.get(id)?.some((event) => event.kind === 'attempt' && event.outcome === 'failed'),
  )
  const doubts = ids.reduce((sum, id) => sum + ledger.doubtsOf(id, at.sender), 0)
  return { least: isLost ? 0 : 1, most: 1 + doubts }
}

/** What a client believes of its mailbox, beside what is there. */
export function auditPicture(
  ledger: Ledger,
  reader: { readonly name: string; readonly account: string; readonly picture: Picture },
  state: State,
): void {
  const { name, account, picture } = reader
  const mailbox = state.mailboxes.find(
    ({ login, uidValidity }) => login === account && uidValidity === picture.uidValidity,
  )
  const where = `${name} at ${account}`
  if (mailbox === undefined) {
    ledger.broke(`${where} has a mailbox selected that is not there: UIDVALIDITY ${picture.uidValidity}`)
    return
  }
  const { messages } = mailbox
  if (picture.messages.length !== messages.length)
    ledger.broke(
      `${where} sees ${picture.messages.length} messages in ${mailbox.name}, there are ${messages.length}`,
    )
  for (const [index, { uid, flags, token }] of picture.messages.entries()) {
    const real = messages[index]
    if (real === undefined) return
    const seen = `${where} sees message ${index + 1} of ${mailbox.name}`
    if (uid !== undefined && uid !== real.uid) ledger.broke(`${seen} as UID ${uid}, it is ${real.uid}`)
    if (flags !== undefined && flags !== real.flags)
      ledger.broke(`${seen}, UID ${real.uid}, as (${flags}), it is (${real.flags})`)
    if (token !== undefined && token !== real.token) ledger.broke(`${seen} as ${token}, it is ${real.token}`)
  }
}
