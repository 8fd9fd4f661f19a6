import { checkSteps } from '../../src/store/sqlite/check/check.ts'

/** What `hikyaku check` says of a folder that nobody has open. */
export function checkFolder(folder: string, deep: boolean): readonly string[] {
  const findings: string[] = []
  const steps = checkSteps(folder, { deep, serving: false })
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value.ok ? findings : [...findings, step.value.problem]
    if (step.value.kind === 'finding')
      findings.push(`${step.value.finding.kind}: ${step.value.finding.sentence}`)
  }
}
