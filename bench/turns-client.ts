import { connect } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

// The client's end of bench/turns.ts, in a thread of its own so that it costs the measured one nothing.

const KEPT_CHARS = 400
const socket = connect(workerData.port as number, '127.0.0.1')
let tail = ''
let until: RegExp | undefined

socket.on('data', (bytes: Buffer) => {
  tail = (tail + bytes.toString('latin1', Math.max(0, bytes.length - KEPT_CHARS))).slice(-KEPT_CHARS)
  if (until?.test(tail) !== true) return
  until = undefined
  parentPort?.postMessage(tail)
  tail = ''
})

parentPort?.on('message', (said: { text: string; piece: string; times: number; until: string }) => {
  until = new RegExp(said.until, 'm')
  socket.write(said.text)
  const piece = Buffer.from(said.piece, 'latin1')
  for (let i = 0; i < said.times; i++) socket.write(piece)
})
