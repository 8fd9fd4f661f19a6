import { type HeaderField, headerFields, unfold } from '../mime/header.ts'
import { ARC_LIMITS } from './limits.ts'

export type ChainField = Pick<HeaderField, 'name' | 'raw'>

export interface Chain {
  /** The highest instance of any ARC field; 0 without one. What no number can be read of does not count. */
  readonly highest: number
  /** `cv=fail` in a seal of that instance. */
  readonly newestSaysFail: boolean
  /** All ARC fields in the order in which a seal covers them (rfc8617 §5.1.1): by instance, then results, signature, seal. */
  readonly fields: readonly ChainField[]
}

const ORDER = ['arc-authentication-results', 'arc-message-signature', 'arc-seal']
const INSTANCE = /(?:^|;)[ \t]*i[ \t]*=[ \t]*([0-9]{1,2})[ \t]*(?:;|$)/
const FAIL = /(?:^|;)[ \t]*cv[ \t]*=[ \t]*fail[ \t]*(?:;|$)/i

/**
 * The ARC fields of a header, to put a new set after them. Says nothing of their validity: instances may be missing or
 * double in a chain that failed, and a new one still must not repeat any.
 */
export function readChain(header: Uint8Array): Chain {
  const found = headerFields(header)
    .filter(({ key }) => ORDER.includes(key))
    .map(({ name, key, raw }) => ({ name, raw, rank: ORDER.indexOf(key), value: unfold(raw) }))
    .map((field) => ({ ...field, instance: instanceOf(field.value) }))
  const highest = Math.max(0, ...found.map(({ instance }) => instance))
  const newest = found.filter(({ instance, rank }) => instance === highest && ORDER[rank] === 'arc-seal')
  return {
    highest,
    newestSaysFail: newest.some(({ value }) => FAIL.test(value)),
    fields: found.toSorted((one, other) => one.instance - other.instance || one.rank - other.rank),
  }
}

function instanceOf(value: string): number {
  const instance = Number(INSTANCE.exec(value)?.[1] ?? 0)
  return instance <= ARC_LIMITS.sets ? instance : 0
}
