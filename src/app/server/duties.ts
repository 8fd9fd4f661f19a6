import type { ReportDuty } from '../../pipeline/reports/duty.ts'
import type { House } from '../wire.ts'
import { QuarantineDuty } from './quarantine-duty.ts'

/** What the running server does without anybody asking, beside mail. */
export class Duties {
  readonly #quarantine: QuarantineDuty
  readonly #reports: ReportDuty

  constructor(house: House) {
    this.#quarantine = new QuarantineDuty(house.ports, () => house.store.believedNow())
    this.#reports = house.reports.duty
  }

  start(): void {
    this.#quarantine.start()
    this.#reports.start()
  }

  /** What is under way is finished. */
  async stop(): Promise<void> {
    await Promise.all([this.#quarantine.stop(), this.#reports.stop()])
  }
}
