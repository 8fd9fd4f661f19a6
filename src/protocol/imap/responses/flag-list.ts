import { RECENT } from '../../../mail/flags.ts'
import { flagWord } from '../text.ts'

/** `(\Seen Work)` ready for the wire; made by `renderFlags` only. */
export type RenderedFlags = string & { readonly isRenderedFlags: true }

export function renderFlags(flags: readonly string[], recent: boolean): RenderedFlags {
  const words = flags.map(flagWord)
  if (recent) words.push(RECENT)
  return `(${words.join(' ')})` as RenderedFlags
}

/**
 * Rendered lists by a number that stands for one set of flags (`MailboxView.flagBits`): ten thousand messages
 * have a dozen different sets. Belongs to one selected mailbox.
 */
export class FlagListCache {
  readonly #lists = new Map<number, RenderedFlags>()

  /** `flags` is called for a key not seen before. */
  render(key: number, recent: boolean, flags: () => readonly string[]): RenderedFlags {
    const full = key * 2 + (recent ? 1 : 0)
    const known = this.#lists.get(full)
    if (known !== undefined) return known
    const rendered = renderFlags(flags(), recent)
    // A mailbox where each message has its own set gains nothing from keeping them.
    if (this.#lists.size < MAX_CACHED) this.#lists.set(full, rendered)
    return rendered
  }
}

const MAX_CACHED = 1024
