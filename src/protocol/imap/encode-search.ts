import { SYSTEM_FLAGS } from '../../mail/flags.ts'
import type { SearchKey } from '../../mail/search.ts'
import { formatUidSet } from '../../mail/uid-set.ts'
import { formatDay } from './date.ts'
import { utf8Octets } from './text.ts'
import type { WireWriter } from './writer.ts'

/** A search tree as keys, its texts in UTF-8. */
export function encodeSearchKey(out: WireWriter, key: SearchKey): WireWriter {
  switch (key.kind) {
    case 'all':
      return out.text('ALL')
    case 'flag': {
      const name = SYSTEM_FLAGS.find(([, bit]) => bit === key.bit)?.[0].slice(1) ?? ''
      return out.text(`${key.set ? '' : 'UN'}${name.toUpperCase()}`)
    }
    case 'keyword':
      return out.text(`${key.set ? '' : 'UN'}KEYWORD ${key.keyword}`)
    case 'recent':
      return out.text(key.set ? 'RECENT' : 'OLD')
    case 'header':
      return out.text('HEADER ').string(key.name).spaceString(utf8Octets(key.text))
    case 'body':
    case 'text':
      return out.text(key.kind.toUpperCase()).spaceString(utf8Octets(key.text))
    case 'date':
      return out.text(`${key.of === 'sent' ? 'SENT' : ''}${key.relation.toUpperCase()} ${formatDay(key.day)}`)
    case 'size':
      return out.text(`${key.relation.toUpperCase()} ${key.sizeBytes}`)
    case 'sequence':
      return out.text(formatUidSet(key.set))
    case 'uid':
      return out.text(`UID ${formatUidSet(key.set)}`)
    case 'not':
      return encodeSearchKey(out.text('NOT '), key.key)
    case 'or':
      return encodeSearchKey(encodeSearchKey(out.text('OR '), key.left).text(' '), key.right)
    case 'and':
      return encodeAll(out, key.keys)
  }
}

function encodeAll(out: WireWriter, keys: readonly SearchKey[]): WireWriter {
  out.text('(')
  keys.forEach((key, i) => {
    if (i > 0) out.text(' ')
    encodeSearchKey(out, key)
  })
  return out.text(')')
}
