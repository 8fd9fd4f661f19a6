// The checkers that are programs of their own: biome for format and lint, tsc for types.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

export interface Outcome {
  readonly isGood: boolean
  /** Set when there was nothing to run. */
  readonly skipped?: string
  /** What the program said, shown when it failed. */
  readonly output: string
}

/** Format and lint. Its umbrella package cannot be locked, so it exists only where its platform package is named. */
export async function runBiome(root: string, isFixing: boolean): Promise<Outcome> {
  const platform = `${process.platform}-${process.arch}`
  const binary = path.join(root, 'node_modules', '@biomejs', `cli-${platform}`, 'biome')
  if (!fs.existsSync(binary)) {
    const skipped = `package.json names biome for linux-x64 only and this is ${platform}: format and lint are not checked`
    return { isGood: true, skipped, output: '' }
  }
  const options = ['--error-on-warnings', '--no-errors-on-unmatched', '--colors=off', '--max-diagnostics=30']
  return await run(binary, ['check', ...(isFixing ? ['--write'] : []), ...options], root)
}

export async function runTsc(root: string): Promise<Outcome> {
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  return await run(process.execPath, [tsc, '-p', 'tsconfig.json', '--pretty', 'false'], root)
}

function run(program: string, args: readonly string[], cwd: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    child.stdout.on('data', (piece: Buffer) => output.push(piece))
    child.stderr.on('data', (piece: Buffer) => output.push(piece))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ isGood: code === 0, output: Buffer.concat(output).toString().trim() }),
    )
  })
}
