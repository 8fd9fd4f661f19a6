import type { Entity } from './entity.ts'
import type { Node } from './node.ts'
import type { Param } from './parts.ts'
import { nstring, wireString } from './wire.ts'

/**
 * BODYSTRUCTURE (with extension data) or BODY of a part tree (rfc3501 §7.4.2), as octets U+0000..U+00FF.
 * Parameters stand as written, rfc2231 forms too: clients decode them.
 */
export function renderStructure(node: Node, extended: boolean): string {
  return node.kind === 'multipart' ? renderMultipart(node, extended) : renderSingle(node, extended)
}

function renderMultipart(node: Node, extended: boolean): string {
  const { entity } = node
  let out = '('
  for (const child of node.children) out += renderStructure(child, extended)
  out += ` ${wireString(entity.subtype)}`
  if (extended) out += ` ${renderParams(entity.rawParams)} ${renderTail(entity)}`
  return `${out})`
}

function renderSingle(node: Node, extended: boolean): string {
  const { entity } = node
  let out = `(${wireString(entity.type)} ${wireString(entity.subtype)} ${renderParams(entity.rawParams)}`
  out += ` ${nstring(entity.id)} ${nstring(entity.description)} ${wireString(entity.encoding)}`
  out += ` ${node.bodyEnd - node.bodyStart}`
  if (node.message !== undefined)
    out += ` ${node.envelope} ${renderStructure(node.message, extended)} ${node.lines}`
  else if (entity.type === 'text') out += ` ${node.lines}`
  if (extended) out += ` ${nstring(entity.md5)} ${renderTail(entity)}`
  return `${out})`
}

function renderTail(entity: Entity): string {
  return `${renderDisposition(entity)} ${renderLanguages(entity.languages)} ${nstring(entity.location)}`
}

function renderDisposition({ disposition, rawDispositionParams }: Entity): string {
  return disposition === undefined
    ? 'NIL'
    : `(${wireString(disposition)} ${renderParams(rawDispositionParams)})`
}

function renderLanguages(languages: readonly string[]): string {
  if (languages.length === 0) return 'NIL'
  return languages.length === 1 ? nstring(languages[0]) : `(${languages.map(wireString).join(' ')})`
}

function renderParams(params: readonly Param[]): string {
  if (params.length === 0) return 'NIL'
  let out = '('
  for (const [name, value] of params)
    out += `${out.length > 1 ? ' ' : ''}${wireString(name)} ${wireString(value)}`
  return `${out})`
}
