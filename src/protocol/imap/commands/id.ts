import { MAX_ID_FIELD_OCTETS, MAX_ID_FIELDS, MAX_ID_VALUE_OCTETS } from '../limits.ts'
import type { WireReader } from '../reader.ts'

export interface IdCommand {
  readonly kind: 'id'
  /** What the client says of itself; for logs only, never to decide by (rfc2971 §1). Octets. */
  readonly fields: readonly (readonly [name: string, value: string | null])[]
}

/** rfc2971 §3.1, with the bounds of §3.3. */
export function parseId(reader: WireReader): IdCommand {
  reader.space()
  if (reader.tryWord('NIL')) return { kind: 'id', fields: [] }
  const fields: [string, string | null][] = []
  reader.list({ least: 0, most: MAX_ID_FIELDS, what: 'fields' }, () => {
    const name = reader.string('a field name')
    reader.space()
    const value = reader.nstring('a value')
    if (name.length > MAX_ID_FIELD_OCTETS || (value?.length ?? 0) > MAX_ID_VALUE_OCTETS)
      reader.fail('field too long')
    fields.push([name, value])
  })
  return { kind: 'id', fields }
}
