import crypto from 'node:crypto'
import fs, { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import fsPromises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { basename } from 'node:path'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Chance } from './chance.ts'
import { fileError, type Machine, ProcessDied } from './machine.ts'
import type { Handle, Scheduler } from './scheduler.ts'

/*
 * The system under the world. While a seed runs, everything by which code reaches time, chance and disk gives the
 * world's: timers, the clocks, random octets, body files, SQLite. So the rooms run as they are, unchanged, and the
 * same seed gives the same run. Nothing else may run in this process meanwhile.
 */

interface World {
  readonly scheduler: Scheduler
  readonly chance: Chance
  /** Of the life that runs now; undefined for clients and for the world itself. */
  machine(): Machine | undefined
  /** How far the clock of whoever runs now is from the world's. */
  clockErrorMs(): number
}

/** 2026-01-01T00:00:00Z: any moment would do. */
export const EPOCH_MS = 1_767_225_600_000

/** Puts the world's in place of the system's; the returned function puts it back. */
export function installSystem(world: World): () => void {
  const undo = [installTimers(world), installFiles(world), installDatabase(world)]
  return () => {
    for (const one of undo) one()
  }
}

function installTimers({ scheduler, chance, machine, clockErrorMs }: World): () => void {
  const kept = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate }
  const now = Date.now
  const performanceNow = performance.now
  const randomBytes = crypto.randomBytes
  const timer = (delayMs: number | undefined, run: () => void) =>
    asTimer(scheduler.after(delayMs ?? 1, withRole(machine(), run)))
  Object.assign(globalThis, {
    setTimeout: (run: (...args: unknown[]) => void, delayMs?: number, ...args: unknown[]) =>
      timer(delayMs, () => run(...args)),
    setInterval: (run: () => void, delayMs: number) =>
      repeating(scheduler, delayMs, withRole(machine(), run)),
    setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) => {
      const inRole = withRole(machine(), () => run(...args))
      return asTimer(scheduler.immediate(inRole))
    },
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
  })
  Date.now = () => EPOCH_MS + Math.floor(scheduler.nowMs) + clockErrorMs()
  performance.now = () => scheduler.nowMs
  crypto.randomBytes = ((count: number) => Buffer.from(chance.bytes(count))) as typeof crypto.randomBytes
  syncBuiltinESMExports()
  return () => {
    Object.assign(globalThis, kept)
    Date.now = now
    performance.now = performanceNow
    crypto.randomBytes = randomBytes
    syncBuiltinESMExports()
  }
}

/** What a store thread puts off is still that thread's work. */
function withRole(machine: Machine | undefined, run: () => void): () => void {
  const role = machine?.role
  if (machine === undefined || role === undefined) return run
  return () => {
    machine.role = role
    try {
      run()
    } finally {
      machine.role = undefined
    }
  }
}

interface Timer {
  cancel(): void
  unref(): Timer
  ref(): Timer
}

function asTimer(handle: Handle): Timer {
  const timer: Timer = { cancel: () => handle.cancel(), unref: () => timer, ref: () => timer }
  return timer
}

function repeating(scheduler: Scheduler, delayMs: number, run: () => void): Timer {
  let handle: Handle
  const again = (): void => {
    handle = scheduler.after(delayMs, () => {
      again()
      run()
    })
  }
  again()
  const timer: Timer = { cancel: () => handle.cancel(), unref: () => timer, ref: () => timer }
  return timer
}

function clear(timer: Timer | undefined): void {
  timer?.cancel()
}

/** Body files: real ones, opened and written at the world's pace, with its faults. */
function installFiles(world: World): () => void {
  const { open, rm } = fsPromises
  const { createReadStream } = fs
  fsPromises.open = ((path: string, flags: string, mode?: number) =>
    operate(world, () => {
      const machine = world.machine()
      const fd = openSync(path, flags, mode)
      if (machine !== undefined) machine.openFiles++
      return new WorldFile(world, fd, machine)
    })) as unknown as typeof open
  fsPromises.rm = (async (path: string, options: fs.RmOptions) => {
    const machine = world.machine()
    machine?.unremoved.add(basename(path))
    await operate(world, () => rmSync(path, options))
    machine?.unremoved.delete(basename(path))
  }) as typeof rm
  fs.createReadStream = ((path: string, range: ReadRange) =>
    readPieces(world, path, range)) as unknown as typeof createReadStream
  syncBuiltinESMExports()
  return () => {
    Object.assign(fsPromises, { open, rm })
    fs.createReadStream = createReadStream
    syncBuiltinESMExports()
  }
}

interface ReadRange {
  readonly start: number
  readonly end: number
  readonly highWaterMark: number
}

/** After a while, unless the disk says no. */
function operate<T>({ scheduler, machine }: World, action: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    scheduler.after(machine()?.latencyMs() ?? 0, () => {
      const trouble = machine()?.trouble()
      if (trouble !== undefined) {
        reject(fileError(trouble))
        return
      }
      try {
        resolve(action())
      } catch (error) {
        reject(error)
      }
    })
  })
}

class WorldFile {
  readonly #world: World
  readonly #machine: Machine | undefined
  #fd: number | undefined

  constructor(world: World, fd: number, machine: Machine | undefined) {
    this.#world = world
    this.#fd = fd
    this.#machine = machine
  }

  async appendFile(bytes: Uint8Array): Promise<void> {
    try {
      await operate(this.#world, () => writeSync(this.#open(), bytes))
    } catch (error) {
      // What fits is written all the same, as a full disk does it.
      if (this.#machine?.life.alive !== false)
        writeSync(this.#open(), bytes.subarray(0, this.#machine?.partOf(bytes.length) ?? 0))
      throw error
    }
  }

  async sync(): Promise<void> {
    await operate(this.#world, () => this.#open())
  }

  /** The descriptor is gone whatever the disk says. */
  async close(): Promise<void> {
    const fd = this.#open()
    this.#fd = undefined
    if (this.#machine !== undefined) this.#machine.openFiles--
    closeSync(fd)
    await operate(this.#world, () => undefined)
  }

  #open(): number {
    if (this.#fd === undefined) throw new Error('the file is closed')
    return this.#fd
  }
}

async function* readPieces(world: World, path: string, range: ReadRange): AsyncGenerator<Buffer> {
  const fd = await operate(world, () => openSync(path, 'r'))
  try {
    for (let at = range.start; at <= range.end; ) {
      const piece = Buffer.alloc(Math.min(range.highWaterMark, range.end + 1 - at))
      const length = await operate(world, () => readSync(fd, piece, 0, piece.length, at))
      if (length === 0) return
      at += length
      yield piece.subarray(0, length)
    }
  } finally {
    closeSync(fd)
  }
}

type Run = (...values: never[]) => unknown

/** SQLite itself, with the disk's faults and the end of its process in front of each statement. */
function installDatabase(world: World): () => void {
  const owners = new WeakMap<StatementSync, DatabaseSync>()
  const { prepare, exec } = DatabaseSync.prototype
  DatabaseSync.prototype.exec = function (this: DatabaseSync, sql) {
    world.machine()?.databases.add(this)
    exec.call(this, sql)
  }
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql) {
    const statement = prepare.call(this, sql)
    owners.set(statement, this)
    return statement
  }
  const kept = {
    run: StatementSync.prototype.run,
    get: StatementSync.prototype.get,
    all: StatementSync.prototype.all,
    iterate: StatementSync.prototype.iterate,
  }
  for (const name of ['run', 'get', 'all', 'iterate'] as const) {
    const real = kept[name] as unknown as Run
    const guarded = function (this: StatementSync, ...values: never[]): unknown {
      const machine = world.machine()
      const database = owners.get(this)
      if (machine === undefined || database === undefined) return real.apply(this, values)
      const sql = this.sourceSQL
      machine.beforeStatement(database, sql)
      const result = real.apply(this, values)
      machine.afterStatement(sql)
      return result
    }
    StatementSync.prototype[name] = guarded as never
  }
  return () => {
    Object.assign(DatabaseSync.prototype, { prepare, exec })
    Object.assign(StatementSync.prototype, kept)
  }
}

export function isDeath(error: unknown): boolean {
  return error instanceof ProcessDied
}
