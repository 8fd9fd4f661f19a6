import type { GroupReport, Operation } from './operations.ts'

/** One operation waiting for its tick to end: its blobs are lists of chunks, joined while packing. */
export interface Call {
  readonly id: number
  readonly operation: Operation
  readonly blobs: readonly (readonly Uint8Array[])[]
}

/** A tick's operations: one text and one buffer, which is transferred. Both cost less than cloning objects. */
export interface Packet {
  readonly text: string
  readonly bytes: ArrayBuffer
}

export interface UnpackedCall {
  readonly id: number
  readonly operation: Operation
  readonly blobs: readonly Uint8Array[]
  readonly sizeBytes: number
}

/** Joins the calls of a tick. The buffer owns its memory: one out of Node's pool could not be transferred. */
export function pack(calls: readonly Call[]): Packet {
  let total = 0
  const heads = calls.map(({ id, operation, blobs }) => {
    const sizes = blobs.map((chunks) => chunks.reduce((sum, chunk) => sum + chunk.length, 0))
    for (const size of sizes) total += size
    return [id, sizes, operation]
  })
  const bytes = Buffer.allocUnsafeSlow(total)
  let at = 0
  for (const { blobs } of calls)
    for (const chunks of blobs)
      for (const chunk of chunks) {
        bytes.set(chunk, at)
        at += chunk.length
      }
  return { text: JSON.stringify(heads), bytes: bytes.buffer }
}

export function unpack(packet: Packet): UnpackedCall[] {
  let at = 0
  const heads = JSON.parse(packet.text) as [number, number[], Operation][]
  return heads.map(([id, sizes, operation]) => {
    const start = at
    const blobs = sizes.map((size) => {
      at += size
      return new Uint8Array(packet.bytes, at - size, size)
    })
    return { id, operation, blobs, sizeBytes: at - start }
  })
}

export function packReport(report: GroupReport): string {
  return JSON.stringify([report.results, report.events])
}

export function unpackReport(text: string): GroupReport {
  const [results, events] = JSON.parse(text) as [GroupReport['results'], GroupReport['events']]
  return { results, events }
}
