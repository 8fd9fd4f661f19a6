import type { Chance } from './chance.ts'
import type { Ledger } from './ledger.ts'
import { aliasesOf } from './people.ts'
import { BUSY_MS } from './plan.ts'
import type { Scheduler } from './scheduler.ts'
import type { WorldServer } from './server.ts'

interface Parts {
  readonly acts: number
  readonly chance: Chance
  readonly scheduler: Scheduler
  readonly ledger: Ledger
  readonly servers: readonly WorldServer[]
  note(text: string): void
}

/** Somebody who runs the servers and now and then does something to them. */
export async function operate(parts: Parts): Promise<void> {
  const { acts, chance, scheduler, servers, note } = parts
  for (let i = 0; i < acts; i++) {
    await scheduler.sleep(chance.between(1_000, (1.5 * BUSY_MS) / acts))
    const server = chance.pick(servers)
    const act = chance.weighted({ cancel: 2, retry: 2, quota: 2, alias: 2, password: 1 })
    if (act === 'cancel') await cancelFirst(server, note)
    else if (act === 'retry') await server.run('queue.retry', { id: 'all' })
    else if (act === 'alias') await changeAlias(parts, server)
    else if (act === 'quota') {
      const quota = chance.pick(['none', '20 KiB', '1 KiB'])
      await server.run('account.quota', { address: `small@${server.domain}`, quota })
    } else await server.run('account.password', { address: `u3@${server.domain}` })
  }
}

/** The alias leads to some of those it led to at first, to all of them, or it is gone. */
async function changeAlias({ chance, ledger, note }: Parts, server: WorldServer): Promise<void> {
  const alias = `team@${server.domain}`
  const all = aliasesOf(server.domain).get(alias) ?? []
  const targets = all.filter(() => chance.happens(0.6))
  for (const account of all) if (!targets.includes(account)) ledger.mayMiss(alias, account)
  const done = await server.run(targets.length === 0 ? 'alias.remove' : 'alias.set', { alias, targets })
  note(`${alias} is to lead to ${targets.join(' ')}: ${done?.ok}`)
}

async function cancelFirst(server: WorldServer, note: (text: string) => void): Promise<void> {
  const listed = await server.run('queue.list', {})
  const id = listed?.ok === true ? /^(\w{20}) /.exec(listed.lines[0] ?? '')?.[1] : undefined
  if (id === undefined) return
  const cancelled = await server.run('queue.cancel', { id })
  note(`${server.domain}: ${id} cancelled: ${cancelled?.ok === true}`)
}
