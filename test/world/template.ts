import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { directorySettings } from '../../src/app/settings.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/settings.ts'
import { openStore } from '../../src/store/sqlite/open.ts'
import { storedPassword } from './hasher.ts'
import { aliasesOf, PASSWORD, peopleOf } from './people.ts'
import { DOMAINS } from './plan.ts'

const IN_MEMORY = '/dev/shm'

/** Where worlds put their data folders: memory where the system has some in a folder, since nothing here needs a disk. */
function parentFolder(): string {
  return process.env.HIKYAKU_WORLD_DIR ?? (existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir())
}

export interface Template {
  readonly config: Config
  readonly folder: string
}

/** What every world of this process begins with. */
export interface Templates {
  readonly folder: string
  readonly byDomain: ReadonlyMap<string, Template>
  remove(): void
}

/** Makes a data folder with its people for each domain, by the real store with its real threads. */
export async function makeTemplates(): Promise<Templates> {
  const folder = mkdtempSync(join(parentFolder(), 'hikyaku-world-'))
  const byDomain = new Map<string, Template>()
  for (const domain of DOMAINS) byDomain.set(domain, await makeTemplate(folder, domain))
  return { folder, byDomain, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

async function makeTemplate(parent: string, domain: string): Promise<Template> {
  const config = configOf(parent, domain)
  const folder = join(parent, `template-${domain}`)
  const opened = await openStore({
    folder,
    directory: directorySettings(config),
    now: () => 0,
    onFault: (cause) => {
      throw new Error(cause)
    },
  })
  if (!opened.ok) throw new Error(`${opened.error.path}: ${opened.error.problem}`)
  const { accounts } = opened.store
  const credential = { name: 'main', argon2id: storedPassword(PASSWORD) }
  for (const person of peopleOf(domain)) {
    const added = await accounts.addAccount({ ...person, credential })
    if (!added.ok) throw new Error(added.error.what)
  }
  for (const [alias, targets] of aliasesOf(domain)) await accounts.setAlias(alias, targets)
  await opened.store.close()
  return { config, folder }
}

/** Waits are short, so that mail is given up while the world is still busy. */
function configOf(parent: string, domain: string): Config {
  const file = join(parent, `${domain}.toml`)
  const from = peopleOf(domain).map(({ login }) => JSON.stringify(login))
  writeFileSync(
    file,
    `[server]
hostname = "mx.${domain}"
data = "data"
[domains]
names = ["${domain}"]
[submission]
trusted_networks = ["10.9.0.0/16"]
trusted_from = [${from.join(', ')}]
[auth]
plain_text_on_loopback = true
[outbound]
retry_after = ["20 s", "40 s", "60 s"]
give_up_after = "3 min"
tell_delay_after = "60 s"
ip = "ipv4"
max_connections = 6
`,
  )
  const loaded = loadConfig(file)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return loaded.config
}
