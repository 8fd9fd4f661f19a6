import { formatProblem, loadConfig } from '../../config/load.ts'
import { referencePage, sampleConfig, showConfig } from '../../config/print.ts'
import { findConfigFile } from './config-file.ts'
import { parseCommandLine, type Verb } from './verb.ts'

export const CONFIG_VERBS: readonly Verb[] = [
  {
    words: 'config sample',
    usage: '',
    says: 'Prints a configuration file with every setting at its default.',
    async run(args, { io }) {
      parseCommandLine(args, {})
      for (const line of sampleConfig().trimEnd().split('\n')) io.out(line)
      return 0
    },
  },
  {
    words: 'config check',
    usage: '[FILE]',
    says: 'Looks for mistakes in a configuration file and says what to write instead.',
    details: [
      'The exit code is 1 where there is a mistake; what is allowed and yet hardly meant is noted, with exit code 0.',
    ],
    async run(args, { io, configFile }) {
      const file = parseCommandLine(args, { max: 1 }).positionals[0] ?? findConfigFile(configFile)
      const loaded = loadConfig(file)
      if (!loaded.ok) {
        for (const problem of loaded.problems) io.err(formatProblem(problem))
        return 1
      }
      io.out(`${loaded.file} is right.`)
      for (const note of loaded.notes) io.err(formatProblem(note))
      return 0
    },
  },
  {
    words: 'config show',
    usage: '',
    says: 'Prints the configuration that the file means, defaults filled in.',
    async run(args, { io, configFile }) {
      parseCommandLine(args, {})
      const loaded = loadConfig(findConfigFile(configFile))
      if (!loaded.ok) {
        for (const problem of loaded.problems) io.err(formatProblem(problem))
        return 1
      }
      for (const line of showConfig(loaded.config).trimEnd().split('\n')) io.out(line)
      return 0
    },
  },
  {
    words: 'config reference',
    usage: '',
    says: 'Prints the page of all settings, docs/configuration.md.',
    async run(args, { io }) {
      parseCommandLine(args, {})
      for (const line of referencePage().trimEnd().split('\n')) io.out(line)
      return 0
    },
  },
]
