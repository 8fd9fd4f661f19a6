// Loaded into the measured server by NODE_OPTIONS=--import, and no part of it: tells on a unix socket how long the
// event loop has been held up since it was last asked. Plain JavaScript, so that it costs the server no compiler.
import { createServer } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import process from 'node:process'
import { isMainThread } from 'node:worker_threads'

/** A timer this often; what a tick comes late by is the delay. */
const resolutionMs = 5
const path = process.env.HIKYAKU_BENCH_LOOP

if (isMainThread && path !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs })
  delays.enable()
  const late = (ns) => Math.max(0, ns / 1e6 - resolutionMs)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.end(`${JSON.stringify({ p99Ms: late(delays.percentile(99)), worstMs: late(delays.max) })}\n`)
    delays.reset()
  })
  server.listen(path)
  server.unref()
}
