import type { Config } from '../../config/settings.ts'
import { makeAddress, parseAddress } from '../../mail/address.ts'
import { assert } from '../../mail/assert.ts'
import { type DutyPorts, ReportDuty, type ReportSettings } from '../../pipeline/reports/duty.ts'
import { ReportReceiver } from '../../pipeline/reports/receiver.ts'
import { DayTally } from '../../pipeline/reports/tally.ts'
import { version } from '../version.ts'
import { ThreadedReports } from './threaded-reports.ts'

export interface ReportServiceParts extends Omit<DutyPorts, 'worker' | 'isOurDomain' | 'settings'> {
  readonly directory: { isOurDomain(domain: string): boolean }
  config(): Config
}

/** All about reports: what is judged is counted, days are reported, reports of others are read. No thread runs before the first. */
export class ReportService {
  readonly tally: DayTally
  readonly receiver: ReportReceiver
  readonly duty: ReportDuty
  readonly #worker: ThreadedReports

  constructor(parts: ReportServiceParts) {
    const { clock, config, directory, intake, log, reports } = parts
    const isOurDomain = (domain: string): boolean => directory.isOurDomain(domain)
    this.#worker = new ThreadedReports({ clock })
    this.tally = new DayTally({ reports, isOurDomain, isOn: () => config().reports.send })
    this.receiver = new ReportReceiver({
      ...{ reports, intake, clock, log, isOurDomain },
      worker: this.#worker,
      isOn: () => config().reports.read,
    })
    this.duty = new ReportDuty({
      ...parts,
      isOurDomain,
      worker: this.#worker,
      settings: () => reportSettings(config()),
    })
  }

  /** What is being read and sent is finished. */
  async close(): Promise<void> {
    await this.duty.stop()
    await this.receiver.idle()
    await this.#worker.close()
  }
}

export function reportSettings({ domains, reports, server }: Config): ReportSettings {
  const byDefault = makeAddress('dmarc-reports', domains.names[0] ?? server.hostname)
  const from = reports.from === undefined ? byDefault : parseAddress(reports.from)
  assert(from !== undefined, 'the setting reports.from is an address')
  return {
    send: reports.send,
    from,
    contact: reports.contact ?? `${from.local}@${from.domain}`,
    generator: `Hikyaku ${version()}`,
  }
}
