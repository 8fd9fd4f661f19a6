import { readFileSync } from 'node:fs'
import { formatProblem, loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/settings.ts'
import { certificateRequest } from '../../pki/csr.ts'
import { installChain } from '../../pki/install.ts'
import { certificateNames, keyFolderPath } from '../server/certificates.ts'
import { becomeDataOwner } from '../server/data-folder.ts'
import { findConfigFile } from './config-file.ts'
import { type CommandContext, parseCommandLine, type Verb } from './verb.ts'

export const TLS_VERBS: readonly Verb[] = [
  {
    words: 'tls csr',
    usage: '[--new-key]',
    says: 'Makes a key and prints a certificate request for a CA elsewhere; the key stays here.',
    async run(args, context) {
      const newKey = parseCommandLine(args, { flags: ['new-key'] }).flag('new-key')
      const config = configOf(context)
      if (config === undefined || !becomesOwner(config, context)) return 1
      const made = certificateRequest(keyFolderPath(config), { names: certificateNames(config), newKey })
      if (!made.ok) {
        context.io.err(made.sentence)
        return 1
      }
      for (const line of made.pem.trimEnd().split('\n')) context.io.out(line)
      context.io.err(
        `The key is in ${made.keyFile}. Install the CA's answer with \`hikyaku tls install FILE\`.`,
      )
      return 0
    },
  },
  {
    words: 'tls install',
    usage: 'FILE',
    says: "Installs the CA's answer to the request: the certificate and its chain; a running server takes it at `hikyaku reload`.",
    async run(args, context) {
      const file = parseCommandLine(args, { min: 1 }).positionals[0] as string
      const config = configOf(context)
      const chain = config === undefined ? undefined : readText(file, context)
      if (config === undefined || chain === undefined || !becomesOwner(config, context)) return 1
      const installed = installChain(keyFolderPath(config), {
        chain,
        names: certificateNames(config),
        nowMs: Date.now(),
      })
      if (!installed.ok) {
        context.io.err(installed.sentence)
        return 1
      }
      for (const note of installed.notes) context.io.err(note)
      context.io.out(
        `Installed for ${installed.names.join(', ')}, good until ${new Date(installed.notAfterMs).toISOString().slice(0, 10)}. \`hikyaku reload\` brings it into force.`,
      )
      return 0
    },
  },
]

function configOf({ io, configFile }: CommandContext): Config | undefined {
  const loaded = loadConfig(findConfigFile(configFile))
  if (loaded.ok) return loaded.config
  for (const problem of loaded.problems) io.err(formatProblem(problem))
  return undefined
}

/** Keys that root made could not be read by the server. */
function becomesOwner(config: Config, { io }: CommandContext): boolean {
  const sentence = becomeDataOwner(config)
  if (sentence !== undefined) io.err(sentence)
  return sentence === undefined
}

function readText(file: string, { io }: CommandContext): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    io.err(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
    return undefined
  }
}
