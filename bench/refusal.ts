/** What cannot be done, told in one sentence, without a stack. */
export class Refusal extends Error {
  readonly exitCode: number

  constructor(sentence: string, exitCode = 1) {
    super(sentence)
    this.exitCode = exitCode
  }
}
