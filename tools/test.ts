// The program behind `npm test`: every check, then every quick test. `npm test -- FILE …` runs only those test files.
import path from 'node:path'
import { checkNames, runChecks } from './checks.ts'
import { quickFiles, quickSuite, runSuite } from './suites.ts'

const root = path.dirname(import.meta.dirname)
const named = process.argv.slice(2)
let failedChecks = 0
if (named.length === 0)
  failedChecks = await runChecks(root, checkNames, { isFixing: false, isVerbose: false })
const status = await runSuite(quickSuite(root, named.length > 0 ? named : quickFiles(root)))
if (failedChecks > 0) console.log(`${failedChecks} checks failed, see above`)
process.exitCode = failedChecks > 0 ? 1 : status
