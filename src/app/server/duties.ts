import type { House } from '../wire.ts'
import { QuarantineDuty } from './quarantine-duty.ts'

/** What the running server does without anybody asking, beside mail. */
export class Duties {
  readonly #quarantine: QuarantineDuty

  constructor(house: House) {
    this.#quarantine = new QuarantineDuty(house.ports, () => house.store.believedNow())
  }

  start(): void {
    this.#quarantine.start()
  }

  /** What is under way is finished. */
  async stop(): Promise<void> {
    await this.#quarantine.stop()
  }
}
