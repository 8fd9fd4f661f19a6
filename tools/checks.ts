// Every check of the tree, by name, one line each.
import { checkDecisions } from './decisions.ts'
import { type Check, show } from './finding.ts'
import { checkGenerated, writeGenerated } from './generated.ts'
import { checkImports } from './imports.ts'
import { type Outcome, runBiome, runTsc } from './lint.ts'
import { checkParsers } from './parsers.ts'
import { checkRfcs } from './rfc.ts'
import { checkTidy } from './tidy.ts'

interface Options {
  /** Mend what a program can mend: format, and the pages that are printed from the code. */
  readonly isFixing: boolean
  /** Say warnings in full instead of counting them. */
  readonly isVerbose: boolean
}

type Runner = (root: string, options: Options) => Promise<Outcome>

const runners: Readonly<Record<string, Runner>> = {
  format: (root, { isFixing }) => runBiome(root, isFixing),
  types: runTsc,
  imports: ofFindings(checkImports),
  rfc: ofFindings((root) => checkRfcs(root)),
  parsers: ofFindings(checkParsers),
  tidy: ofFindings(checkTidy),
  decisions: ofFindings(checkDecisions),
  generated: async (root, { isFixing }) => {
    if (isFixing) await writeGenerated(root)
    const findings = await checkGenerated(root)
    return { isGood: findings.length === 0, output: findings.map(show).join('\n') }
  },
}

export const checkNames: readonly string[] = Object.keys(runners)

function ofFindings(check: Check): Runner {
  return async (root, { isVerbose }) => {
    const findings = check(root)
    const warnings = findings.filter(({ isWarning }) => isWarning)
    const told = isVerbose ? findings : findings.filter(({ isWarning }) => !isWarning)
    const output = told.map(show)
    if (warnings.length > 0 && !isVerbose) output.push(`${warnings.length} warnings; --verbose shows them`)
    return { isGood: findings.length === warnings.length, output: output.join('\n') }
  }
}

/** Runs the named checks side by side, prints a line for each and gives how many failed. */
export async function runChecks(root: string, names: readonly string[], options: Options): Promise<number> {
  const outcomes = names.map(async (name) => {
    const startMs = performance.now()
    const outcome = await runners[name]?.(root, options)
    return { name, outcome, tookMs: Math.round(performance.now() - startMs) }
  })
  let failed = 0
  for (const running of outcomes) {
    const { name, outcome, tookMs } = await running
    if (outcome === undefined) throw new RangeError(`no check is called ${name}`)
    const word = outcome.skipped !== undefined ? 'skip' : outcome.isGood ? 'ok' : 'FAIL'
    console.log(`${word.padEnd(5)} ${name.padEnd(10)} ${outcome.skipped ?? `${tookMs} ms`}`)
    if (outcome.output !== '' && (!outcome.isGood || !outcome.output.startsWith('Checked')))
      console.log(indent(outcome.output))
    if (!outcome.isGood) failed += 1
  }
  return failed
}

function indent(text: string): string {
  return text.replace(/^/gm, '      ')
}
