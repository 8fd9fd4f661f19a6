import { type Entity, type MediaType, readEntity } from './entity.ts'
import { AddressLists, renderEnvelope } from './envelope.ts'
import { collectFields, type FieldMap } from './header.ts'
import { MAX_ALL_HEADERS_BYTES, MAX_DEPTH, MAX_FIELDS, MAX_PARTS } from './limits.ts'
import type { Node } from './node.ts'

/** A delimiter line of an open multipart. */
export interface Delimiter {
  /** Place of its multipart in the chain of open parts. */
  readonly level: number
  readonly isClose: boolean
}

interface OpenBoundary {
  readonly boundary: string
  readonly level: number
}

/** An octet offset and the line ends before it. */
export interface Mark {
  readonly offset: number
  readonly lines: number
}

const NO_FIELDS: FieldMap = new Map()
/** All that structure, envelope and summary are made of. */
export const FIELDS: ReadonlySet<string> = new Set([
  ...['date', 'subject', 'from', 'sender', 'reply-to', 'to', 'cc', 'bcc'],
  ...['message-id', 'in-reply-to', 'references'],
  ...[
    'content-type',
    'content-transfer-encoding',
    'content-disposition',
    'content-id',
    'content-description',
  ],
  ...['content-md5', 'content-language', 'content-location'],
])
/** Encodings under which the octets of a message/rfc822 are the message (rfc2046 §5.2.1 allows no others). */
const IDENTITY = new Set(['7bit', '8bit', 'binary'])

/** Measured: 2,000 parts with a Content-Type and a disposition take some 2 MiB. */
const NODE_BYTES = 1024

/** Decides where parts begin and end. It sees headers and delimiter lines, never bodies. */
export class TreeBuilder {
  readonly tags = new Set<string>()
  /** Of the message itself. */
  rootFields: FieldMap = NO_FIELDS
  /** The chain of open parts, the root first. */
  readonly #stack: Node[] = []
  /** Boundaries of open multiparts whose close delimiter has not come. */
  #boundaries: OpenBoundary[] = []
  #parts = 0
  #headerBytes = 0

  /** Octets that the structure takes, roughly: its headers' texts, and a node with its Content fields for each part. */
  get heldBytes(): number {
    return Math.min(this.#headerBytes, MAX_ALL_HEADERS_BYTES) + this.#parts * NODE_BYTES
  }

  /** Whether lines beginning with `--` matter at all. */
  get isWatching(): boolean {
    return this.#boundaries.length > 0
  }

  /**
   * A header is complete, its body begins at `body`.
   * @returns true where the header of a message within begins there.
   */
  headerDone(header: Uint8Array, headerStart: number, body: Mark): boolean {
    const parent = this.#stack.at(-1)
    const fields = this.#fieldsOf(header)
    const fallback: MediaType =
      parent?.kind === 'multipart' && parent.entity.subtype === 'digest' ? 'message/rfc822' : 'text/plain'
    const node = this.#makeNode(readEntity(fields, fallback, this.tags), headerStart, body)
    if (parent === undefined) this.rootFields = fields
    else if (parent.kind === 'multipart') parent.children.push(node)
    else {
      parent.message = node
      parent.envelope = renderEnvelope(fields, new AddressLists(fields, this.tags), this.tags)
    }
    this.#stack.push(node)
    this.#parts++
    if (node.kind === 'multipart')
      this.#boundaries.push({ boundary: node.entity.boundary as string, level: this.#stack.length - 1 })
    if (node.kind !== 'message') return false
    if (this.#canOpen() && IDENTITY.has(node.entity.encoding)) return true
    this.tags.add(this.#canOpen() ? 'message-encoded' : 'structure-too-deep')
    node.message = opaqueBody(node, node.entity.encoding)
    node.envelope = renderEnvelope(NO_FIELDS, new AddressLists(NO_FIELDS, this.tags), this.tags)
    return false
  }

  /**
   * Finds the open boundary that a line (without its `--`) begins with: the whole line need not match
   * (rfc2046 §5.1.1). Of several the longest counts, so that a boundary which begins with another is itself;
   * of equal ones the innermost.
   */
  match(line: string): Delimiter | undefined {
    let best: OpenBoundary | undefined
    for (let i = this.#boundaries.length - 1; i >= 0; i--) {
      const open = this.#boundaries[i] as OpenBoundary
      if (open.boundary.length > (best?.boundary.length ?? 0) && line.startsWith(open.boundary)) best = open
    }
    if (best === undefined) return undefined
    const rest = line.slice(best.boundary.length)
    const isClose = rest.startsWith('--')
    if (!isClose && !/^[ \t]*\r?\n?$/.test(rest)) this.tags.add('boundary-trailing-text')
    return { level: best.level, isClose }
  }

  /**
   * Ends what the delimiter ends.
   * @param line where its line begins, @param eolBytes how long the line end before it is.
   * @returns false where the parts are too many: the line then is text of the last part.
   */
  delimiter({ level, isClose }: Delimiter, line: Mark, eolBytes: number): boolean {
    if (!isClose && this.#parts >= MAX_PARTS) {
      this.tags.add('too-many-parts')
      this.#boundaries = []
      return false
    }
    while (this.#stack.length > level + 1) this.#close(this.#stack.pop() as Node, line, eolBytes)
    this.#boundaries = this.#boundaries.filter(
      (open) => open.level < level || (open.level === level && !isClose),
    )
    return true
  }

  /** The message's end; its tree. */
  finish(end: Mark): Node {
    const root = this.#stack[0] as Node
    while (this.#stack.length > 0) this.#close(this.#stack.pop() as Node, end, 0)
    this.#boundaries = []
    return root
  }

  #fieldsOf(header: Uint8Array): FieldMap {
    if (header.length === 0) return NO_FIELDS
    this.#headerBytes += header.length
    if (this.#stack.length > 0 && this.#headerBytes > MAX_ALL_HEADERS_BYTES) {
      this.tags.add('headers-too-large')
      return NO_FIELDS
    }
    const fields = new Map<string, string[]>()
    if (collectFields(header, FIELDS, fields) >= MAX_FIELDS) this.tags.add('too-many-fields')
    return fields
  }

  #makeNode(entity: Entity, headerStart: number, body: Mark): Node {
    const common = {
      headerStart,
      bodyStart: body.offset,
      linesBefore: body.lines,
      bodyEnd: body.offset,
      lines: 0,
      children: [],
      message: undefined,
      envelope: '',
    }
    if (entity.type === 'message' && (entity.subtype === 'rfc822' || entity.subtype === 'global'))
      return { ...common, kind: 'message', entity }
    if (entity.type !== 'multipart') return { ...common, kind: 'leaf', entity }
    // Without a boundary the type says nothing (rfc2045 §5.2): people can still read it as text.
    if (entity.boundary === undefined) return { ...common, kind: 'leaf', entity: asText(entity, '7bit') }
    if (this.#canOpen()) return { ...common, kind: 'multipart', entity }
    this.tags.add('structure-too-deep')
    return {
      ...common,
      kind: 'leaf',
      entity: { ...entity, type: 'application', subtype: 'octet-stream', rawParams: [], params: [] },
    }
  }

  #canOpen(): boolean {
    return this.#stack.length < MAX_DEPTH && this.#parts < MAX_PARTS
  }

  #close(node: Node, line: Mark, eolBytes: number): void {
    // A header that a delimiter ends keeps its last line end; what holds it ends no earlier.
    const within = node.message ?? node.children.at(-1)
    node.bodyEnd = Math.max(node.bodyStart, line.offset - eolBytes, within?.bodyEnd ?? 0)
    node.lines = Math.max(0, line.lines - node.linesBefore - (node.bodyEnd < line.offset ? 1 : 0))
    if (node.message !== undefined && node.message.bodyEnd < node.bodyEnd) {
      // Only an opaque message has not been closed before the part that holds it.
      node.message.bodyEnd = node.bodyEnd
      node.message.lines = node.lines
    }
    if (node.kind !== 'multipart') return
    if (this.#boundaries.some((open) => open.level === this.#stack.length))
      this.tags.add('multipart-unclosed')
    if (node.children.length > 0) return
    this.tags.add('multipart-without-parts')
    const only = opaqueBody(node, '7bit')
    only.bodyEnd = node.bodyEnd
    only.lines = node.lines
    node.children.push(only)
  }
}

/** A part without a header that is the whole body of another. */
function opaqueBody(node: Node, encoding: string): Node {
  return {
    kind: 'leaf',
    entity: asText(readEntity(NO_FIELDS, 'text/plain', new Set()), encoding),
    headerStart: node.bodyStart,
    bodyStart: node.bodyStart,
    linesBefore: node.linesBefore,
    bodyEnd: node.bodyEnd,
    lines: node.lines,
    children: [],
    message: undefined,
    envelope: '',
  }
}

function asText(entity: Entity, encoding: string): Entity {
  const params: Entity['params'] = [['charset', 'us-ascii']]
  return { ...entity, type: 'text', subtype: 'plain', rawParams: params, params, encoding }
}
