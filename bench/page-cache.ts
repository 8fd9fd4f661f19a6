import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

/** Writes everything to the disk, so that one run does not pay for what another has written. */
export function flushDisk(): void {
  execFileSync('sync')
}

/** Makes the machine forget what it has read from disks. Gives the reason where it does not let us. */
export function forgetFiles(): string | undefined {
  flushDisk()
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '3\n')
    return undefined
  } catch (error) {
    return `/proc/sys/vm/drop_caches: ${(error as NodeJS.ErrnoException).code}; only root may drop the page cache`
  }
}
