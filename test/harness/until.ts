// Waiting for something that another program does. Every wait ends.

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Generous: a busy machine must not fail a test; order is asserted, never speed. */
const defaultTimeoutMs = 30_000
const stepMs = 50

/** Asks until the answer is neither undefined nor false. Rejects after `timeoutMs` naming `what`, with the last error. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = defaultTimeoutMs,
): Promise<T> {
  const giveUp = performance.now() + timeoutMs
  let last: unknown
  while (performance.now() < giveUp) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
    } catch (error) {
      last = error
    }
    await sleep(stepMs)
  }
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause: last })
}

/** Waits until something accepts connections there. */
export async function untilListening(port: number, host = '127.0.0.1', timeoutMs?: number): Promise<void> {
  await until(`a listener on ${host}:${port}`, () => accepts(port, host), timeoutMs)
}

export function accepts(port: number, host = '127.0.0.1'): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ port, host })
  socket.once('connect', () => {
    socket.destroy()
    resolve(true)
  })
  socket.once('error', () => resolve(false))
  return promise
}

/** Rejects when a step takes longer than it may: for promises that nothing else would end. */
export async function within<T>(what: string, timeoutMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`${what}: not done after ${timeoutMs} ms`)), timeoutMs)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
