import { gunzipSync, inflateRawSync } from 'node:zlib'
import { asBuffer } from '../../bytes/ascii.ts'
import { REPORT_LIMITS } from './limits.ts'

export type Unpacked =
  | { readonly ok: true; readonly octets: Buffer }
  | { readonly ok: false; readonly why: string }

const refuse = (why: string): Unpacked => ({ ok: false, why })
const GZIP = [0x1f, 0x8b]
/** Marks of the zip format: a file's local header, its entry in the directory, the directory's end. */
const LOCAL = 0x04034b50
const ENTRY = 0x02014b50
const END = 0x06054b50
const LOCAL_BYTES = 30
const ENTRY_BYTES = 46
const END_BYTES = 22
/** The comment behind the end has at most so many octets. */
const COMMENT_BYTES = 0xffff
const STORED = 0
const DEFLATED = 8
/** Bit 0 of an entry's flags. */
const ENCRYPTED = 1

/**
 * The text within an attachment: gzip, the one file of a zip archive, or the octets as they are. What it is
 * is told by its first octets: senders' media types and file names often are wrong. An archive within is not opened.
 */
export function unpackReport(packed: Uint8Array): Unpacked {
  const octets = asBuffer(packed)
  if (octets.length > REPORT_LIMITS.messageBytes) return refuse(`the file has ${octets.length} octets`)
  const outer = startsAsGzip(octets) ? gunzip(octets) : startsAsZip(octets) ? unzip(octets) : plain(octets)
  if (!outer.ok) return outer
  if (startsAsGzip(outer.octets) || startsAsZip(outer.octets))
    return refuse('it is an archive within an archive, which is not opened')
  return outer
}

const startsAsGzip = (octets: Buffer): boolean => octets[0] === GZIP[0] && octets[1] === GZIP[1]
const startsAsZip = (octets: Buffer): boolean => octets.length >= 4 && octets.readUInt32LE(0) === LOCAL

function plain(octets: Buffer): Unpacked {
  return octets.length > REPORT_LIMITS.inflatedBytes
    ? refuse(`it has more than ${REPORT_LIMITS.inflatedBytes} octets`)
    : { ok: true, octets }
}

const gunzip = (octets: Buffer): Unpacked => inflate(octets, (limit) => gunzipSync(octets, limit))

/** Stops as soon as it becomes too large: nothing more than the limit is ever held. */
function inflate(packed: Buffer, by: (options: { readonly maxOutputLength: number }) => Buffer): Unpacked {
  const { inflatedBytes, ratio, ratioFromBytes } = REPORT_LIMITS
  const most = Math.min(inflatedBytes, Math.max(ratioFromBytes, packed.length * ratio))
  try {
    return { ok: true, octets: by({ maxOutputLength: most }) }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ERR_BUFFER_TOO_LARGE')
      return refuse(`its ${packed.length} octets inflate to more than ${most}, as those of a bomb do`)
    return refuse(`it cannot be inflated (${code ?? String(error)})`)
  }
}

interface ZipEntry {
  readonly name: string
  readonly method: number
  readonly flags: number
  readonly packedBytes: number
  readonly localAt: number
}

/** By the directory at the end, as every unpacker goes; the file must lie where that says. */
function unzip(octets: Buffer): Unpacked {
  const entries = zipEntries(octets)
  if (typeof entries === 'string') return refuse(entries)
  const files = entries.filter(({ name }) => !name.endsWith('/'))
  const named = files.filter(({ name }) => /\.(xml|json)$/i.test(name))
  const [file, second] = named.length > 0 ? named : files
  if (file === undefined) return refuse('the archive has no file')
  if (second !== undefined) return refuse('the archive has more than one report')
  if ((file.flags & ENCRYPTED) !== 0) return refuse('the archive is encrypted')
  const { localAt, packedBytes } = file
  if (localAt + LOCAL_BYTES > octets.length || octets.readUInt32LE(localAt) !== LOCAL)
    return refuse('the archive names a file that is not there')
  const start = localAt + LOCAL_BYTES + octets.readUInt16LE(localAt + 26) + octets.readUInt16LE(localAt + 28)
  if (start + packedBytes > octets.length) return refuse('the archive is cut short')
  const packed = octets.subarray(start, start + packedBytes)
  if (file.method === STORED) return plain(packed)
  if (file.method === DEFLATED) return inflate(packed, (limit) => inflateRawSync(packed, limit))
  return refuse(`the archive is compressed by method ${file.method}, which is not known here`)
}

function zipEntries(octets: Buffer): readonly ZipEntry[] | string {
  const end = endOf(octets)
  if (end === undefined) return 'the archive has no directory'
  const count = octets.readUInt16LE(end + 10)
  if (count > REPORT_LIMITS.archiveEntries) return `the archive has ${count} files`
  const entries: ZipEntry[] = []
  let at = octets.readUInt32LE(end + 16)
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > end || octets.readUInt32LE(at) !== ENTRY) return 'the directory is broken'
    const nameBytes = octets.readUInt16LE(at + 28)
    const next = at + ENTRY_BYTES + nameBytes + octets.readUInt16LE(at + 30) + octets.readUInt16LE(at + 32)
    if (next > end) return 'the directory is broken'
    entries.push({
      name: octets.toString('latin1', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes),
      method: octets.readUInt16LE(at + 10),
      flags: octets.readUInt16LE(at + 8),
      packedBytes: octets.readUInt32LE(at + 20),
      localAt: octets.readUInt32LE(at + 42),
    })
    at = next
  }
  return entries
}

/** The last end mark: what stands behind it is a comment. */
function endOf(octets: Buffer): number | undefined {
  const lowest = Math.max(0, octets.length - END_BYTES - COMMENT_BYTES)
  for (let at = octets.length - END_BYTES; at >= lowest; at--) if (octets.readUInt32LE(at) === END) return at
  return undefined
}
