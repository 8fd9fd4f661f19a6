import { withoutComments } from './comments.ts'
import { firstValue } from './envelope.ts'
import type { FieldMap } from './header.ts'
import { MAX_BOUNDARY_BYTES } from './limits.ts'
import { decodeParameters, type ParameterField, parseParameters } from './params.ts'
import type { Param } from './parts.ts'

/** What the Content fields of a part say. Raw values are octets as U+0000..U+00FF, for BODYSTRUCTURE. */
export interface Entity {
  readonly type: string
  readonly subtype: string
  readonly rawParams: readonly Param[]
  readonly params: readonly Param[]
  /** Of a multipart that has one that can be used. */
  readonly boundary: string | undefined
  readonly encoding: string
  readonly id: string | undefined
  readonly description: string | undefined
  readonly md5: string | undefined
  readonly disposition: string | undefined
  readonly rawDispositionParams: readonly Param[]
  readonly filename: string | undefined
  readonly languages: readonly string[]
  readonly location: string | undefined
}

export type MediaType = 'text/plain' | 'message/rfc822'

const TOKEN = /^[^\x00-\x20()<>@,;:\\"/[\]?=\x7f-\xff]+$/
const ASCII_PARAMS: readonly Param[] = [['charset', 'us-ascii']]

// Spellings of encodings that programs get wrong.
const ENCODINGS: ReadonlyMap<string, string> = new Map([
  ['7-bit', '7bit'],
  ['8-bit', '8bit'],
  ['7bits', '7bit'],
  ['8bits', '8bit'],
  ['quotedprintable', 'quoted-printable'],
  ['quoted/printable', 'quoted-printable'],
  ['base-64', 'base64'],
])

/** Reads the Content fields of one header; `fallback` is the type where none is given. */
export function readEntity(fields: FieldMap, fallback: MediaType, tags: Set<string>): Entity {
  const type = readType(fields, fallback, tags)
  const disposition = readParameters(fields, 'content-disposition', tags)
  const dispositionParams = disposition === undefined ? [] : decoded(disposition.raw, tags)
  const named = (params: readonly Param[], name: string): string | undefined =>
    params.find(([key]) => key === name)?.[1]
  return {
    ...type,
    boundary: type.type === 'multipart' ? usableBoundary(type.rawParams, tags) : undefined,
    encoding: readEncoding(fields, tags),
    id: firstValue(fields, 'content-id', tags),
    description: firstValue(fields, 'content-description', tags),
    md5: firstValue(fields, 'content-md5', tags),
    disposition:
      disposition === undefined || disposition.value === '' ? undefined : disposition.value.toLowerCase(),
    rawDispositionParams: disposition?.raw ?? [],
    filename: named(dispositionParams, 'filename') ?? named(type.params, 'name'),
    languages: readLanguages(fields, tags),
    location: firstValue(fields, 'content-location', tags),
  }
}

type TypeFacts = Pick<Entity, 'type' | 'subtype' | 'rawParams' | 'params'>

function readType(fields: FieldMap, fallback: MediaType, tags: Set<string>): TypeFacts {
  const [type, subtype] = fallback.split('/') as [string, string]
  const fallbackParams = type === 'text' ? ASCII_PARAMS : []
  const none: TypeFacts = { type, subtype, rawParams: fallbackParams, params: fallbackParams }
  const field = readParameters(fields, 'content-type', tags)
  if (field === undefined) return none
  const slash = field.value.indexOf('/')
  const main = (slash < 0 ? field.value : field.value.slice(0, slash)).toLowerCase()
  const sub = slash < 0 ? '' : field.value.slice(slash + 1).toLowerCase()
  const params = decoded(field.raw, tags)
  if (TOKEN.test(main) && TOKEN.test(sub)) return { type: main, subtype: sub, rawParams: field.raw, params }
  tags.add('content-type-invalid')
  // A multipart that lost its subtype is still one where a boundary is named (rfc2046 §5.1.3).
  if (main === 'multipart') return { type: main, subtype: 'mixed', rawParams: field.raw, params }
  // rfc2045 §5.2: a field that cannot be read is as none; the charset it names is still the best guess.
  const charset = field.raw.filter(([name]) => name === 'charset')
  if (charset.length === 0)
    return { ...none, type: 'text', subtype: 'plain', rawParams: ASCII_PARAMS, params: ASCII_PARAMS }
  return { type: 'text', subtype: 'plain', rawParams: charset, params: charset }
}

function readParameters(fields: FieldMap, key: string, tags: Set<string>): ParameterField | undefined {
  const values = fields.get(key)
  if (values === undefined) return undefined
  if (values.length > 1) tags.add(`duplicate-${key}`)
  const field = parseParameters(values[0] as string)
  for (const tag of field.leniencies) tags.add(tag)
  return field
}

function decoded(raw: readonly Param[], tags: Set<string>): readonly Param[] {
  if (raw.length === 0) return raw
  const { params, leniencies } = decodeParameters(raw)
  for (const tag of leniencies) tags.add(tag)
  return params
}

/** The boundary octet by octet; white space at its end is transport padding (rfc2046 §5.1.1). */
function usableBoundary(raw: readonly Param[], tags: Set<string>): string | undefined {
  const value = raw.find(([name]) => name === 'boundary')?.[1]?.trimEnd()
  if (value !== undefined && value !== '' && value.length <= MAX_BOUNDARY_BYTES) {
    if (value.length > 70) tags.add('boundary-long')
    return value
  }
  tags.add(value === undefined || value === '' ? 'boundary-missing' : 'boundary-too-long')
  return undefined
}

function readEncoding(fields: FieldMap, tags: Set<string>): string {
  const value = firstValue(fields, 'content-transfer-encoding', tags)
  if (value === undefined) return '7bit'
  const word = withoutComments(value).trim().split(/[\s;]/, 1)[0] as string
  const name = word.replace(/^"|"$/g, '').toLowerCase()
  if (name === '') return '7bit'
  const known = ENCODINGS.get(name)
  if (known !== undefined) tags.add('encoding-misspelt')
  return known ?? name.slice(0, 100)
}

function readLanguages(fields: FieldMap, tags: Set<string>): readonly string[] {
  const value = firstValue(fields, 'content-language', tags)
  if (value === undefined) return []
  return withoutComments(value)
    .split(',')
    .map((language) => language.trim())
    .filter((language) => language !== '')
    .slice(0, 20)
}
