// A file system of our own, ext4 in a file, whose power can be cut.

import { once } from 'node:events'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { runWell, start } from '../harness/run.ts'
import { until, within } from '../harness/until.ts'

export interface LoopDiskOptions {
  readonly file: string
  readonly mountPoint: string
  readonly sizeBytes: number
  /** Of ext4: `data=writeback`, say. */
  readonly options?: readonly string[]
}

/** ioctl of ext4: nothing more reaches the disk, not even its own log (EXT4_GOING_FLAGS_NOLOGFLUSH). */
const powerCut = `
import fcntl, os, struct, sys
for path in sys.stdin:
    fd = os.open(path.strip(), os.O_RDONLY)
    fcntl.ioctl(fd, 0x8004587d, struct.pack('I', 2))
    os.close(fd)
    print('cut', flush=True)
`

/** Needs root. Whoever makes one unmounts it. */
export class LoopDisk {
  readonly mountPoint: string
  readonly #options: LoopDiskOptions
  /** Stands ready, so that the cut comes at once when it is asked for. */
  readonly #cutter = start('python3', ['-c', powerCut], { stdio: ['pipe', 'pipe', 'inherit'] })

  private constructor(options: LoopDiskOptions) {
    this.mountPoint = options.mountPoint
    this.#options = options
  }

  static async make(options: LoopDiskOptions): Promise<LoopDisk> {
    writeFileSync(options.file, '')
    truncateSync(options.file, options.sizeBytes)
    await runWell('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', 'lazy_itable_init=1', options.file])
    mkdirSync(options.mountPoint, { recursive: true })
    const disk = new LoopDisk(options)
    await disk.mount()
    return disk
  }

  async mount(): Promise<void> {
    const { file, mountPoint, options = [] } = this.#options
    // The loop device goes with the mount.
    await runWell('mount', ['-t', 'ext4', '-o', ['loop', ...options].join(','), file, mountPoint])
  }

  /** What was not synced is gone; what is written from now on fails. */
  async cutPower(): Promise<void> {
    const { stdin, stdout } = this.#cutter
    if (stdin === null || stdout === null) throw new Error('the cutter has no pipes')
    const done = once(stdout, 'data')
    stdin.write(`${this.mountPoint}\n`)
    await within('the power cut', 10_000, done)
  }

  /** Unmounts for good. */
  async remove(): Promise<void> {
    this.#cutter.kill('SIGKILL')
    await this.unmount()
  }

  /** A process that has just been killed may hold it for a moment. */
  async unmount(): Promise<void> {
    await until('the unmount', async () => {
      await runWell('umount', [this.mountPoint])
      return true
    })
  }
}
