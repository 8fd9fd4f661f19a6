/** Up to this length octets are copied one by one: a call costs more. */
const SHORT = 48

/**
 * Copies octets from `start` to `end` of `source` into `target`, which has room for them.
 * @returns where in `target` they end.
 */
export function copyOctets(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  if (end - start > SHORT) target.set(source.subarray(start, end), at)
  else for (let from = start, to = at; from < end; ) target[to++] = source[from++] as number
  return at + end - start
}
