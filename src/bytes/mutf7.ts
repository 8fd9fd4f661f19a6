/**
 * Modified UTF-7 (rfc3501 §5.1.3): how mailbox names go over the wire. There is exactly one encoding of each
 * name; anything else is refused, so that two spellings can never mean one mailbox.
 */

/** The wire form of a name: printable ASCII only. `name` must be well-formed Unicode. */
export function encodeMutf7(name: string): string {
  if (/^[\x20-\x25\x27-\x7e]*$/.test(name)) return name
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => (run === '&' ? '&-' : `&${encodeRun(run)}-`))
}

/** The name that `wire` stands for, or undefined where it is not the one right encoding of any name. */
export function decodeMutf7(wire: string): string | undefined {
  if (/[^\x20-\x7e]/.test(wire)) return undefined
  if (!wire.includes('&')) return wire
  let name = ''
  let at = 0
  while (at < wire.length) {
    const shift = wire.indexOf('&', at)
    if (shift < 0) {
      name += wire.slice(at)
      break
    }
    const end = wire.indexOf('-', shift)
    if (end < 0) return undefined
    name += wire.slice(at, shift)
    name += end === shift + 1 ? '&' : decodeRun(wire.slice(shift + 1, end))
    at = end + 1
  }
  // Padding bits that are not zero, ASCII inside a shift, shifts side by side, foreign letters in the base64
  // and half surrogate pairs all show in this comparison.
  return name.isWellFormed() && encodeMutf7(name) === wire ? name : undefined
}

function encodeRun(run: string): string {
  return Buffer.from(run, 'utf16le').swap16().toString('base64').replaceAll('/', ',').replaceAll('=', '')
}

function decodeRun(run: string): string {
  const octets = Buffer.from(run.replaceAll(',', '/'), 'base64')
  return octets
    .subarray(0, octets.length - (octets.length % 2))
    .swap16()
    .toString('utf16le')
}
