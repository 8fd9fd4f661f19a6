import type { Attempt, AttemptBudget } from '../ports/budget.ts'
import type { Clock } from '../ports/clock.ts'
import {
  BLOCK_AT_FAILURES,
  BLOCK_MS,
  FIRST_DELAY_MS,
  FORGET_ONE_MS,
  FREE_FAILURES,
  KNOWN_GOOD_BLOCK_AT_FAILURES,
  MAX_BUDGET_ENTRIES,
  MAX_DELAY_MS,
} from './limits.ts'

/**
 * The budget of failed logins. What counts where: a stranger's attempt counts against its address and against
 * the account; an attempt from an address that has worked for the account counts for that pair alone, so
 * neither guesses at the account from elsewhere nor guesses at others from the same house lock its owner out.
 *
 * A success takes back its own charge and no more: who owns one account could else guess at all others and
 * log in in between.
 */
export class FailureBudget implements AttemptBudget {
  readonly #clock: Clock
  readonly #clients: FailureTable
  readonly #accounts: FailureTable
  readonly #pairs: FailureTable

  constructor(clock: Clock, maxEntries = MAX_BUDGET_ENTRIES) {
    this.#clock = clock
    this.#clients = new FailureTable(BLOCK_AT_FAILURES, maxEntries)
    this.#accounts = new FailureTable(BLOCK_AT_FAILURES, maxEntries)
    this.#pairs = new FailureTable(KNOWN_GOOD_BLOCK_AT_FAILURES, maxEntries)
  }

  admit(attempt: Attempt): { readonly delayMs: number } | { readonly blockedForMs: number } {
    const now = this.#clock.monotonic()
    const counted = this.#counted(attempt)
    const blockedForMs = Math.max(...counted.map(([table, key]) => table.blockedForMs(key, now)))
    // Not charged: a client that keeps asking does not stay out for ever.
    if (blockedForMs > 0) return { blockedForMs }
    const failures = Math.max(...counted.map(([table, key]) => table.charge(key, now)))
    return { delayMs: delayAfter(failures) }
  }

  refund(attempt: Attempt): void {
    const now = this.#clock.monotonic()
    for (const [table, key] of this.#counted(attempt)) table.refund(key, now)
  }

  #counted(attempt: Attempt): readonly (readonly [FailureTable, string])[] {
    const { client, login, knownGood } = attempt
    if (knownGood) return [[this.#pairs, `${client} ${login}`]]
    return [
      [this.#clients, client],
      [this.#accounts, login],
    ]
  }
}

/** @param failures before this attempt. */
function delayAfter(failures: number): number {
  const beyond = Math.floor(failures) - FREE_FAILURES
  return beyond < 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** beyond)
}

interface Failures {
  readonly count: number
  readonly atMs: number
  readonly blockedUntilMs: number
}

/** Failures by key, forgotten one at a time; bounded, in order of the last charge. */
class FailureTable {
  readonly #entries = new Map<string, Failures>()
  readonly #blockAt: number
  readonly #maxEntries: number

  constructor(blockAt: number, maxEntries: number) {
    this.#blockAt = blockAt
    this.#maxEntries = maxEntries
  }

  blockedForMs(key: string, nowMs: number): number {
    return Math.max(0, (this.#entries.get(key)?.blockedUntilMs ?? 0) - nowMs)
  }

  /** @returns the failures before this one. */
  charge(key: string, nowMs: number): number {
    const before = this.#left(key, nowMs)
    const count = before + 1
    // Deleted first: a Map keeps the order of insertion, and the one charged last must be the last to go.
    this.#entries.delete(key)
    this.#entries.set(key, {
      count,
      atMs: nowMs,
      blockedUntilMs: count >= this.#blockAt ? nowMs + BLOCK_MS : 0,
    })
    if (this.#entries.size > this.#maxEntries)
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        break
      }
    return before
  }

  refund(key: string, nowMs: number): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    const count = this.#left(key, nowMs) - 1
    if (count <= 0) this.#entries.delete(key)
    else
      this.#entries.set(key, {
        count,
        atMs: nowMs,
        // The charge that is taken back may have been the one that blocked.
        blockedUntilMs: count < this.#blockAt ? 0 : entry.blockedUntilMs,
      })
  }

  #left(key: string, nowMs: number): number {
    const entry = this.#entries.get(key)
    return entry === undefined ? 0 : Math.max(0, entry.count - (nowMs - entry.atMs) / FORGET_ONE_MS)
  }
}
