/**
 * The control socket's wire: one JSON object a line, each way. The client sends requests with numbers of its
 * own; the server answers each by any number of `line`s and then one `result` or `error`.
 */
export interface ControlRequest {
  readonly id: number
  readonly verb: string
  readonly args: unknown
}

export type ControlReply =
  | { readonly id: number; readonly line: string }
  | { readonly id: number; readonly result: unknown }
  /** A sentence for the operator. */
  | { readonly id: number; readonly error: string }

/** Reads one line of a request; undefined where it is none. */
export function parseControlRequest(line: string): ControlRequest | undefined {
  const value = parseObject(line)
  if (value === undefined) return undefined
  const { id, verb, args } = value
  if (!Number.isSafeInteger(id) || typeof verb !== 'string' || !/^[a-z][a-z0-9. -]{0,63}$/.test(verb))
    return undefined
  return { id: id as number, verb, args }
}

export function parseControlReply(line: string): ControlReply | undefined {
  const value = parseObject(line)
  if (value === undefined || !Number.isSafeInteger(value.id)) return undefined
  const id = value.id as number
  if (typeof value.line === 'string') return { id, line: value.line }
  if (typeof value.error === 'string') return { id, error: value.error }
  return 'result' in value ? { id, result: value.result } : undefined
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    // Not JSON: not a request.
    return undefined
  }
}

/** Cuts octets into lines; a line beyond the limit makes it give up for good. */
export class ControlLines {
  readonly #maxBytes: number
  #pieces: Buffer[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Octets of the line that is not whole yet. */
  get heldBytes(): number {
    return this.#bytes
  }

  /** @returns the lines that are now whole, or undefined where one is too long. */
  push(chunk: Buffer): readonly string[] | undefined {
    const lines: string[] = []
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      if (this.#bytes + at - from > this.#maxBytes) return undefined
      lines.push(Buffer.concat([...this.#pieces, chunk.subarray(from, at)]).toString('utf8'))
      this.#pieces = []
      this.#bytes = 0
      from = at + 1
    }
    if (from < chunk.length) {
      this.#pieces.push(chunk.subarray(from))
      this.#bytes += chunk.length - from
    }
    return this.#bytes > this.#maxBytes ? undefined : lines
  }
}
