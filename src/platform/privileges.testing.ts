import { createServer } from 'node:net'
import { dropPrivileges, mayBindLowPorts } from './privileges.ts'

/** Run as root: binds a low port, gives root up for the user named, and says what it can still do. */

const [user = 'nobody', group] = process.argv.slice(2)
const bound = createServer()
await new Promise<void>((resolve) => bound.listen(0, '127.0.0.1', resolve))
const result = dropPrivileges({ user, group })
const refused = await new Promise<string>((resolve) => {
  const low = createServer()
  low.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
  low.listen(1, '127.0.0.1', () => resolve('bound'))
})
console.log(
  JSON.stringify({
    result,
    refused,
    low: mayBindLowPorts(),
    uid: process.getuid?.(),
    groups: process.getgroups?.(),
    stillListening: bound.listening,
  }),
)
process.exit(0)
