import type { Report, Runs, WorkloadResult } from './results.ts'
import type { SystemName } from './systems/system.ts'
import type { Metric, Numbers } from './workloads/workload.ts'

/** A result with these runs by system. */
export function result(
  name: string,
  metrics: readonly Metric[],
  systems: Partial<Record<SystemName, readonly (Numbers | undefined)[]>>,
): WorkloadResult {
  const runs = Object.entries(systems).map(([system, rounds]) => {
    const all: Runs = { rounds: [...rounds], problems: [] }
    return [system, all]
  })
  return { name, title: `The workload ${name}`, metrics, systems: Object.fromEntries(runs) }
}

/** A report of these workloads on a machine that is not there. */
export function reportOf(...workloads: WorkloadResult[]): Report {
  const floor = {
    syncedAppendsPerSecond: 6_000,
    groupedAppendsPerSecond: 48_000,
    roundTripsPerSecond: 81_000,
  }
  return {
    takenAt: '2024-01-02T03:04:05.000Z',
    command: 'npm run bench -- --peers',
    machine: {
      cpu: 'A <processor> & more',
      cores: 2,
      memoryGiB: 24,
      kernel: '6.1',
      system: 'Debian',
      disk: 'ext4',
      node: 'v24',
    },
    runs: 3,
    seconds: 2.5,
    systems: [
      { name: 'hikyaku', title: 'Hikyaku', about: 'its defaults' },
      { name: 'dovecot-sdbox', title: 'Postfix + Dovecot sdbox', about: 'its defaults' },
      { name: 'cyrus', title: 'Postfix + Cyrus', about: 'its defaults' },
    ],
    missing: [],
    floors: [floor, floor],
    workloads,
  }
}

export const delivered: Metric = { key: 'delivered', title: 'delivered', unit: '/s', better: 'more' }
export const cpu: Metric = { key: 'cpuMs', title: 'CPU', unit: 'ms', better: 'less' }
export const loop: Metric = { key: 'loopP99Ms', title: 'loop', unit: 'ms', better: 'less' }
