// What the machine itself can do: beside these the rates of mail servers are to be read.

import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { serveEcho } from './load/echo.ts'
import { runLoad } from './loader.ts'

export interface Floors {
  /** 4 KiB appended to a file and fdatasync, one after another. */
  readonly syncedAppendsPerSecond: number
  /** The same with one fdatasync for 32. */
  readonly groupedAppendsPerSecond: number
  /** 64 octets there and back over loopback, 10 connections, Node on both sides. */
  readonly roundTripsPerSecond: number
}

/** @param folder on the disk that is measured. */
export async function measureFloors(folder: string, seconds: number): Promise<Floors> {
  const syncedAppendsPerSecond = appendsPerSecond(folder, seconds, 1)
  const groupedAppendsPerSecond = appendsPerSecond(folder, seconds, 32)
  const server = await serveEcho()
  const echo = await runLoad({ kind: 'echo', port: server.port, connections: 10, seconds })
  server.stop()
  return {
    syncedAppendsPerSecond,
    groupedAppendsPerSecond,
    roundTripsPerSecond: echo.roundTrips / echo.seconds,
  }
}

function appendsPerSecond(folder: string, seconds: number, group: number): number {
  const path = join(folder, 'floor')
  const file = openSync(path, 'w')
  const record = Buffer.alloc(4096, 'x')
  const startedAt = performance.now()
  const until = startedAt + seconds * 1000
  let appended = 0
  while (performance.now() < until) {
    for (let index = 0; index < group; index++) writeSync(file, record)
    fdatasyncSync(file)
    appended += group
  }
  const elapsed = (performance.now() - startedAt) / 1000
  closeSync(file)
  rmSync(path)
  return appended / elapsed
}
