import { HELD_FILES } from '../../limits.ts'
import { deleteBodyFile } from '../body-files.ts'
import { describeError } from '../sql.ts'

/** Deletes body files that no row names any more: at once, or, while a backup copies an older state, after it. */
export class FileRemoval {
  readonly #folder: string
  readonly #onNote: (text: string) => void
  #held: string[] | undefined

  constructor(folder: string, onNote: (text: string) => void) {
    this.#folder = folder
    this.#onNote = onNote
  }

  remove(name: string): void {
    if (this.#held === undefined) this.#delete(name)
    // Those beyond stay until the next start sweeps them.
    else if (this.#held.length < HELD_FILES) this.#held.push(name)
  }

  hold(): void {
    this.#held ??= []
  }

  letGo(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const name of held) this.#delete(name)
  }

  #delete(name: string): void {
    try {
      deleteBodyFile(this.#folder, name)
    } catch (error) {
      // The row is gone, so the next start sweeps the file.
      this.#onNote(`cannot delete body file ${name}: ${describeError(error)}`)
    }
  }
}
