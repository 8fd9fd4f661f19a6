import type { Chance } from './chance.ts'
import type { Ledger } from './ledger.ts'
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
export async function operate({ acts, chance, scheduler, servers, note }: Parts): Promise<void> {
  for (let i = 0; i < acts; i++) {
    await scheduler.sleep(chance.between(1_000, (1.5 * BUSY_MS) / acts))
    const server = chance.pick(servers)
    const act = chance.weighted({ cancel: 2, retry: 2, quota: 2, password: 1 })
    if (act === 'cancel') await cancelFirst(server, note)
    else if (act === 'retry') await server.run('queue.retry', { id: 'all' })
    else if (act === 'quota') {
      const quota = chance.pick(['none', '20 KiB', '1 KiB'])
      await server.run('account.quota', { address: `small@${server.domain}`, quota })
    } else await server.run('account.password', { address: `u3@${server.domain}` })
  }
}

async function cancelFirst(server: WorldServer, note: (text: string) => void): Promise<void> {
  const listed = await server.run('queue.list', {})
  const id = listed?.ok === true ? /^(\w{20}) /.exec(listed.lines[0] ?? '')?.[1] : undefined
  if (id === undefined) return
  const cancelled = await server.run('queue.cancel', { id })
  note(`${server.domain}: ${id} cancelled: ${cancelled?.ok === true}`)
}
