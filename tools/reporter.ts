// What `npm test` shows of a test run: failures as they come, then what was skipped and why, then the counts. The
// runner's own list of every passed test hides the one line that matters.
import path from 'node:path'
import type { TestEvent } from 'node:test/reporters'

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts = { passed: 0, failed: 0 }
  const skipped: string[] = []
  const startMs = performance.now()
  for await (const event of events) {
    if (event.type === 'test:stderr' || event.type === 'test:stdout') yield event.data.message
    if (event.type === 'test:pass') {
      const { name, skip, details, file } = event.data
      if (skip !== undefined && skip !== false)
        skipped.push(`${placeOf(file)} ${name}: ${skip === true ? 'no reason given' : skip}`)
      else if (details.type !== 'suite') counts.passed += 1
    }
    if (event.type === 'test:fail') {
      const { name, details, file, line } = event.data
      // A suite, or a file, fails for its tests, which were already told.
      if ('failureType' in details.error && details.error.failureType === 'subtestsFailed') continue
      counts.failed += 1
      yield `\nFAILED ${name}\n  ${placeOf(file, line)}\n${indent(reasonOf(details.error))}\n`
    }
  }
  if (skipped.length > 0)
    yield `\n${skipped.length} skipped:\n${skipped.map((text) => `  ${text}\n`).join('')}`
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  yield `\n${counts.passed} passed, ${counts.failed} failed, ${skipped.length} skipped (${seconds} s)\n`
}

function placeOf(file: string | undefined, line?: number): string {
  if (file === undefined) return ''
  return path.relative(process.cwd(), file) + (line === undefined ? '' : `:${line}`)
}

/** The cause, without the frames of the runner itself. */
function reasonOf(error: Error): string {
  const cause = error.cause
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause ?? error.message)
  return text.replace(/\n +at .*\bnode:internal\/.*/g, '')
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ')
}
