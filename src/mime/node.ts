import type { Entity } from './entity.ts'
import type { Part } from './parts.ts'

/** A part while its message streams by. Offsets count from the first octet of the content. */
export interface Node {
  readonly kind: 'leaf' | 'multipart' | 'message'
  readonly entity: Entity
  readonly headerStart: number
  readonly bodyStart: number
  /** Line ends before the body. */
  readonly linesBefore: number
  bodyEnd: number
  lines: number
  readonly children: Node[]
  /** The message within, and its envelope. */
  message: Node | undefined
  envelope: string
}

/** The part tree with offsets moved by what stands before the content; the root's header begins at 0. */
export function toPart(node: Node, shift: number, isRoot = false): Part {
  const { entity } = node
  return {
    type: entity.type,
    subtype: entity.subtype,
    params: entity.params,
    headerStart: isRoot ? 0 : node.headerStart + shift,
    bodyStart: node.bodyStart + shift,
    bodyEnd: node.bodyEnd + shift,
    lines: node.lines,
    encoding: entity.encoding,
    id: entity.id,
    disposition: entity.disposition,
    filename: entity.filename,
    children: node.children.map((child) => toPart(child, shift)),
    message: node.message === undefined ? undefined : toPart(node.message, shift),
  }
}
