import type { FlagSet } from '../../../mail/flags.ts'
import type { UidSet } from '../../../mail/uid-set.ts'
import { MAX_FLAGS_IN_COMMAND } from '../limits.ts'
import type { WireReader } from '../reader.ts'
import { flagListArgument, flagsOf, setArgument } from './arguments.ts'

export interface StoreCommand {
  readonly kind: 'store'
  readonly uid: boolean
  readonly set: UidSet
  readonly action: 'replace' | 'add' | 'remove'
  readonly silent: boolean
  readonly flags: FlagSet
}

/** rfc3501 §6.4.6. */
export function parseStore(reader: WireReader, uid: boolean): StoreCommand {
  reader.space()
  const set = setArgument(reader)
  reader.space()
  const action = reader.tryChar('+') ? 'add' : reader.tryChar('-') ? 'remove' : 'replace'
  const word = reader.word('FLAGS')
  if (word !== 'FLAGS' && word !== 'FLAGS.SILENT') reader.fail('expected FLAGS')
  reader.space()
  const flags = reader.peek() === '(' ? flagListArgument(reader) : readBareFlags(reader)
  return { kind: 'store', uid, set, action, silent: word === 'FLAGS.SILENT', flags }
}

/** rfc3501 §9, store-att-flags: the parentheses may be left away. */
function readBareFlags(reader: WireReader): FlagSet {
  const names: string[] = []
  do {
    names.push(reader.flag())
    if (names.length > MAX_FLAGS_IN_COMMAND) reader.fail('too many flags')
  } while (reader.tryChar(' '))
  return flagsOf(reader, names)
}
