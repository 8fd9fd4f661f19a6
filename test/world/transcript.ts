/** What happened, as a number that two runs of one seed must agree on, and as text where somebody wants to read it. */
export class Transcript {
  readonly lines: string[] | undefined
  #hash = 0
  #count = 0

  constructor(isKept: boolean) {
    this.lines = isKept ? [] : undefined
  }

  note(nowMs: number, text: string): void {
    const line = `${nowMs.toFixed(3)} ${text}`
    let hash = this.#hash
    for (let i = 0; i < line.length; i++) hash = (Math.imul(hash, 31) + line.charCodeAt(i)) | 0
    this.#hash = hash
    this.#count++
    this.lines?.push(line)
  }

  get hash(): string {
    return `${this.#count}-${(this.#hash >>> 0).toString(16)}`
  }
}
