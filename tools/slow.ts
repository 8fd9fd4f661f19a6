// The program behind `node launch.mjs slow [FILE …]`: the suites that need other programs, the network of the package
// registry, or minutes; then a few seconds of every fuzz target. Named files run alone.
import path from 'node:path'
import { filesUnder } from './finding.ts'
import { needsNamespaces } from './slow-places.ts'
import { runProgram, runSuite } from './suites.ts'

const root = path.dirname(import.meta.dirname)
const named = process.argv.slice(2)
const files = named.length > 0 ? named : filesUnder(root, 'test', '.slow.test.ts')
const interop = files.filter(needsNamespaces)
const others = files.filter((file) => !needsNamespaces(file))

const failed: string[] = []
const note = (what: string, status: number): void => {
  if (status !== 0) failed.push(what)
}
if (others.length > 0) {
  note('slow tests', await runSuite({ root, files: others, concurrency: 1, timeoutMs: 600_000 }))
}
if (interop.length > 0) note('interop', await runProgram(root, path.join(root, 'test', 'slow.sh'), interop))
// One seed, so that a run can be repeated; to look for what is new, run `node launch.mjs fuzz` with others.
const fuzz = ['tools/fuzz.ts', '--seconds', '5', '--seed', '20261124']
if (named.length === 0) note('fuzz', await runProgram(root, process.execPath, fuzz))
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`)
  process.exitCode = 1
}
