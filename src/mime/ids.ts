import { MAX_ID_BYTES, MAX_REFERENCES } from './limits.ts'

const ID = /<([^<>\s]{1,998})>/g

/**
 * The message ids of a Message-ID, In-Reply-To or References value (rfc5322 §3.6.4), with their angle
 * brackets, in order, bounded: of many, the first, which names the thread, and the last ones are kept.
 * Other words, as old programs wrote them into In-Reply-To, are left out.
 */
export function messageIds(value: string): string[] {
  // Folds within an id come from programs that cut lines at a fixed width.
  if (!value.includes('<')) return []
  const ids = [...value.replace(/[\r\n]+[ \t]*/g, ' ').matchAll(ID)].map(([id]) => id)
  return ids.length <= MAX_REFERENCES ? ids : [ids[0] as string, ...ids.slice(1 - MAX_REFERENCES)]
}

/** The id of a Message-ID field; one without brackets is taken as it is. */
export function messageId(value: string): string | undefined {
  const [id] = messageIds(value)
  if (id !== undefined) return id
  const bare = value.trim()
  return bare !== '' && bare.length <= MAX_ID_BYTES && !/[\s<>]/.test(bare) ? `<${bare}>` : undefined
}
