import { processIo } from './cli/io.ts'
import { runCommand } from './commands.ts'

/* The program: what `./hikyaku` and `npm start` run. */

// A command that never comes to its end (Node ends when nothing is left to wait for) did not do what it was asked.
process.exitCode = 1
process.exitCode = await runCommand(process.argv.slice(2), processIo())
