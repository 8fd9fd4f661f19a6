import { HELD_NETWORK_SLICE_PART } from '../limits.ts'

export interface NextSlice {
  /** null: of all. */
  readonly network: string | null
  readonly excessBytes: number
}

/**
 * Which network makes room next: the one that holds most, until it holds no more than the second or the bound; the
 * oldest of all where none is above the bound.
 */
export class LargestNetworks {
  readonly #bytes: Map<string, number>
  readonly #boundBytes: number

  /** @param networks what each holds; of two that are equal the first goes first. */
  constructor(networks: readonly (readonly [network: string, bytes: number])[], boundBytes: number) {
    this.#bytes = new Map(networks)
    this.#boundBytes = boundBytes
  }

  next(excessBytes: number): NextSlice {
    let [network, most, second]: [string | null, number, number] = [null, this.#boundBytes, this.#boundBytes]
    for (const [name, bytes] of this.#bytes) {
      if (bytes > most) [network, most, second] = [name, bytes, most]
      else if (bytes > second) second = bytes
    }
    if (network === null) return { network, excessBytes }
    const least = Math.max(1, Math.floor(this.#boundBytes / HELD_NETWORK_SLICE_PART))
    return { network, excessBytes: Math.min(excessBytes, Math.max(most - second, least)) }
  }

  shrink(network: string | null, bytes: number): void {
    const had = network === null ? undefined : this.#bytes.get(network)
    if (network !== null && had !== undefined) this.#bytes.set(network, had - bytes)
  }
}
