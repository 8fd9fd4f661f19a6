import { readFileSync } from 'node:fs'
import { callControl } from '../../platform/control-client.ts'
import { folderPaths } from '../../store/sqlite/folder.ts'
import { controlPath } from './control.ts'

/**
 * Whether a server answers for this data folder already, asked before any port is tried: ten sentences about ports
 * would hide the one cause. Nothing is made or locked here.
 * @returns the sentence for the operator; undefined where nobody answers.
 */
export async function runningSentence(dataFolder: string): Promise<string | undefined> {
  // Any answer is one, also that of a version which does not know the question.
  const answer = await callControl(controlPath(dataFolder), { verb: 'queue.list', args: {} })
  if (answer.kind === 'not-running' || answer.kind === 'not-allowed') return undefined
  const pid = ownerPid(dataFolder)
  const who = pid === undefined ? '' : ` (process ${pid})`
  return `Hikyaku already runs on ${dataFolder}${who}: \`hikyaku reload\` makes it read its configuration again; or stop it first.`
}

function ownerPid(dataFolder: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(folderPaths(dataFolder).pid, 'utf8'), 10)
    return Number.isSafeInteger(pid) ? pid : undefined
  } catch {
    // Then nobody can be named.
    return undefined
  }
}
