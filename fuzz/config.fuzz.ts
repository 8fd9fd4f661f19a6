import { defaultConfig, parseConfig } from '../src/config/load.ts'
import { sampleConfig, showConfig } from '../src/config/print.ts'

export const name = 'config'

export const corpus: readonly string[] = [
  sampleConfig(),
  showConfig(defaultConfig()),
  '[server]\nhostname = "mail.example.org"\n[listen]\nmx = ["192.0.2.1:25", "[::]:25", "unix:/run/x"]\n',
  'server.hostname = """\nx\n"""\n',
]

/** A mistake is a problem with a sentence, never an exception. */
export function fuzz(input: Uint8Array): void {
  parseConfig(Buffer.from(input).toString('utf8'), '/etc/hikyaku.toml')
}
