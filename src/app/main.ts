import { processIo } from './cli/io.ts'
import { runCommand } from './commands.ts'

/* The program: what `./hikyaku` and `npm start` run. */

process.exitCode = await runCommand(process.argv.slice(2), processIo())
