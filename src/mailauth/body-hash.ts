import { createHash } from 'node:crypto'
import { CR, LF, SP, TAB } from '../bytes/ascii.ts'

/*
 * mailauth's own canonicalisation keeps an unfinished line and reads it again with each piece: 25 MB on one line cost
 * it a time that grows with their square. This one keeps no line, and counts what it holds back.
 */

export type BodyCanonicalization = 'simple' | 'relaxed'

/** Small enough for Node's pool of buffers: each message has one for each way. */
const OUT_BYTES = 2 * 1024
const CRLF = Buffer.from('\r\n', 'latin1')
const CR_ONLY = CRLF.subarray(0, 1)

/**
 * The body as rfc6376 §3.4.3 (simple) and §3.4.4 (relaxed) write it, piece by piece: cut anywhere, the same. A bare LF
 * is a line end; a bare CR is text. What `write` gets is only good until it returns.
 */
export class CanonicalBody {
  readonly #relaxed: boolean
  readonly #write: (octets: Uint8Array) => void
  readonly #out = Buffer.allocUnsafe(OUT_BYTES)
  #used = 0
  #isEmpty = true
  /** Line ends that are not yet followed by text; at the end of the body they are dropped. */
  #lineEnds = 0
  #heldCr = false
  #heldSpace = false

  constructor(canonicalization: BodyCanonicalization, write: (octets: Uint8Array) => void) {
    this.#relaxed = canonicalization === 'relaxed'
    this.#write = write
  }

  update(piece: Uint8Array): void {
    const relaxed = this.#relaxed
    for (let i = 0; i < piece.length; ) {
      const octet = piece[i] as number
      if (octet === LF) {
        this.#heldCr = false
        this.#heldSpace = false
        this.#lineEnds++
        i++
        continue
      }
      if (this.#heldCr) {
        this.#heldCr = false
        this.#text(CR_ONLY, 0, 1)
      }
      if (octet === CR) this.#heldCr = true
      else if (relaxed && (octet === SP || octet === TAB)) this.#heldSpace = true
      else {
        const end = unchangedEnd(piece, i + 1, relaxed)
        this.#text(piece, i, end)
        i = end
        continue
      }
      i++
    }
  }

  end(): void {
    if (this.#heldCr) this.#text(CR_ONLY, 0, 1)
    // rfc6376 §3.4.3: an empty body becomes one line end; §3.4.4: it stays empty. Other bodies end in exactly one.
    if (!this.#relaxed || !this.#isEmpty) this.#put(CRLF, 0, 2)
    this.#flush()
  }

  #text(from: Uint8Array, start: number, end: number): void {
    for (; this.#lineEnds > 0; this.#lineEnds--) this.#put(CRLF, 0, 2)
    if (this.#heldSpace) {
      this.#heldSpace = false
      if (this.#used === OUT_BYTES) this.#flush()
      this.#out[this.#used++] = SP
    }
    this.#isEmpty = false
    this.#put(from, start, end)
  }

  #put(from: Uint8Array, start: number, end: number): void {
    if (end - start > OUT_BYTES) {
      this.#flush()
      this.#write(from.subarray(start, end))
      return
    }
    if (this.#used + end - start > OUT_BYTES) this.#flush()
    const out = this.#out
    let used = this.#used
    for (let i = start; i < end; i++) out[used++] = from[i] as number
    this.#used = used
  }

  #flush(): void {
    if (this.#used > 0) this.#write(this.#out.subarray(0, this.#used))
    this.#used = 0
  }
}

/**
 * Where the octets end that stand in the canonical body as they are: text, and between texts one space or one CRLF.
 * Most bodies are one such run, so that nothing of them needs to be copied.
 */
function unchangedEnd(piece: Uint8Array, from: number, relaxed: boolean): number {
  let i = from
  for (; i < piece.length; i++) {
    const octet = piece[i]
    if (octet === LF || (relaxed && octet === TAB)) break
    let next = i + 1
    if (octet === CR && piece[next++] !== LF) break
    if (octet !== CR && (octet !== SP || !relaxed)) continue
    // Only where text follows is it sure that nothing of it is dropped.
    if (next >= piece.length || isHeld(piece[next] as number, relaxed)) break
    i = next
  }
  return i
}

function isHeld(octet: number, relaxed: boolean): boolean {
  return octet === LF || octet === CR || (relaxed && (octet === SP || octet === TAB))
}

/** The hash of a canonical body or, where `l=` says so, of its first octets (rfc6376 §3.5). Read by mailauth. */
export class BodyHash {
  readonly #hash
  readonly #limitBytes: number
  readonly byteLength = 0
  bodyHashedBytes = 0
  canonicalizedLength = 0
  hash: string | undefined

  constructor(algorithm: string, limitBytes: number | undefined) {
    this.#hash = createHash(algorithm)
    this.#limitBytes = limitBytes ?? Number.POSITIVE_INFINITY
  }

  write(octets: Uint8Array): void {
    this.canonicalizedLength += octets.length
    const room = this.#limitBytes - this.bodyHashedBytes
    if (room <= 0) return
    const signed = octets.length > room ? octets.subarray(0, room) : octets
    this.bodyHashedBytes += signed.length
    this.#hash.update(signed)
  }

  digest(encoding: 'base64'): string {
    return this.#hash.digest(encoding)
  }
}

/** All hashes of one body: it is canonicalised once in each way that is asked for. */
export class BodyHashes {
  readonly #bodies = new Map<BodyCanonicalization, { body: CanonicalBody; hashes: BodyHash[] }>()

  get isEmpty(): boolean {
    return this.#bodies.size === 0
  }

  add(canonicalization: BodyCanonicalization, hash: BodyHash): void {
    const known = this.#bodies.get(canonicalization)
    if (known !== undefined) {
      known.hashes.push(hash)
      return
    }
    const hashes = [hash]
    const body = new CanonicalBody(canonicalization, (octets) => {
      for (const one of hashes) one.write(octets)
    })
    this.#bodies.set(canonicalization, { body, hashes })
  }

  update(piece: Uint8Array): void {
    for (const { body } of this.#bodies.values()) body.update(piece)
  }

  end(): void {
    for (const { body } of this.#bodies.values()) body.end()
  }
}
