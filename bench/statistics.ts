// What is made of measured numbers. All of it is computation.

/** The middle one; between the two middle ones where their count is even. Throws on an empty list. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle]
  const lower = sorted[sorted.length % 2 === 0 ? middle - 1 : middle]
  if (upper === undefined || lower === undefined) throw new RangeError('no median of nothing')
  return (lower + upper) / 2
}

/** The value that `part` (0 to 1) of the sorted values do not exceed. Throws on an empty list. */
export function percentile(sorted: ArrayLike<number>, part: number): number {
  const value = sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)]
  if (value === undefined) throw new RangeError('no percentile of nothing')
  return value
}

/**
 * Ratios of runs that stood side by side, the first of ours to the first of theirs and so on: what disturbed the
 * machine for a while disturbed both. Runs without a partner are left out.
 */
export function pairRatios(ours: readonly number[], theirs: readonly number[]): number[] {
  const ratios: number[] = []
  for (const [index, mine] of ours.entries()) {
    const other = theirs[index]
    if (other !== undefined && other > 0) ratios.push(mine / other)
  }
  return ratios
}

/** How far apart the runs lie: the largest less the smallest, as a part of the median. */
export function spread(values: readonly number[]): number {
  const middle = median(values)
  return middle === 0 ? 0 : (Math.max(...values) - Math.min(...values)) / middle
}
