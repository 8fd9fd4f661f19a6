import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { openListener } from './listen.ts'
import { serve } from './serve.ts'
import { LOOPBACK, ToyMachine, testEnv } from './testing.ts'

/** Run with `ulimit -n 48`: a server that its clients take all descriptors from. Says what it saw as JSON. */

const env = testEnv()
const opened = await openListener({ name: 'test', at: LOOPBACK, setting: 'x', log: env.log })
if (!opened.ok) throw new Error(opened.sentence)
const quiet = { attached: () => undefined, ask: () => '', tell: () => undefined, closed: () => undefined }
serve(
  opened.listener,
  {
    protocol: 'toy',
    implicitTls: false,
    door: 'mx',
    tls: () => undefined,
    proxyFrom: [],
    tooMany: Buffer.alloc(0),
    session: () => ({ machine: new ToyMachine(), handler: quiet }),
  },
  env,
)
console.log(`port ${opened.listener.port}`)
let standing = 0
while (standing < 10 || standing !== env.caps.total) {
  standing = env.caps.total
  await setTimeout(200)
}
const before = process.cpuUsage()
await setTimeout(1000)
const { user, system } = process.cpuUsage(before)
console.log('let go')
while (env.caps.total > 0) await setTimeout(20)
const served = await new Promise((resolve) => {
  const socket = connect(opened.listener.port, '127.0.0.1')
  socket.once('data', () => resolve(true))
  socket.once('error', () => resolve(false))
})
console.log(JSON.stringify({ standing, served, cpuMs: (user + system) / 1000 }))
process.exit(0)
