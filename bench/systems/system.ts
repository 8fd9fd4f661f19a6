// A mail server to be measured: where it listens, who may log in, what it consists of.

import { lstatSync, readdirSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import type { Account } from '../load/imap-login.ts'
import type { Author } from '../signed.ts'

export type SystemName = 'hikyaku' | 'dovecot-sdbox' | 'dovecot-maildir' | 'cyrus' | 'chain'

export interface MailSystem {
  readonly name: SystemName
  readonly title: string
  readonly ports: Ports
  /** The mailboxes that mail comes to, all with one password: ten of them, but in tests. */
  readonly many: readonly Account[]
  /** A mailbox each for what disturbs other measurements. */
  readonly reader: Account
  readonly idler: Account
  /** Every process of it: with what stands in front of the store, where there is something. */
  processes(): readonly number[]
  /** Octets that it takes on the disk. */
  diskBytes(): number
  /** How long its event loop has been held up since this was last asked; only ours can tell. */
  loopDelay?(): Promise<LoopDelay>
  /** The last fault in its log, where it tells one. */
  lastFault?(): string | undefined
  /** Whose mail passes its checks, where it judges mail. */
  readonly author?: Author | undefined
  /** What differs from its defaults, for the reader. */
  readonly about: string
}

export interface Ports {
  readonly smtp: number
  readonly lmtp: number
  readonly imap: number
  /** TLS from the first byte. */
  readonly imaps?: number
}

export interface LoopDelay {
  readonly p99Ms: number
  readonly worstMs: number
}

/** Systems of one host, started and stopped together. */
export interface Host {
  readonly systems: readonly MailSystem[]
  /** Starts it afresh: what it keeps in memory is gone. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export const domain = 'example.test'
export const password = 'bench-only-7-mugwort-lantern'

/** The accounts of one system; `prefix` keeps those of two systems on one host apart. */
export function accountsOf(prefix: string, mailboxes = 10): Pick<MailSystem, 'many' | 'reader' | 'idler'> {
  const account = (name: string) => ({ user: `${prefix}${name}@${domain}`, password })
  return {
    many: Array.from({ length: mailboxes }, (_, index) => account(`in${index}`)),
    reader: account('reader'),
    idler: account('idler'),
  }
}

/** Ports of loopback that nobody has at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const { promise, resolve, reject } = Promise.withResolvers<ReturnType<typeof createServer>>()
      const server = createServer()
      server.once('error', reject)
      server.listen({ host: '127.0.0.1', port: 0 }, () => resolve(server))
      return promise
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Octets that the files below take on the disk, in whole blocks, each file once however many names it has. */
export function diskBytesOf(folder: string): number {
  const seen = new Set<number>()
  const walk = (at: string): number => {
    let sum = 0
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name)
      const stat = lstatSync(path, { throwIfNoEntry: false })
      if (stat === undefined) continue
      if (!seen.has(stat.ino)) sum += stat.blocks * 512
      seen.add(stat.ino)
      if (entry.isDirectory()) sum += walk(path)
    }
    return sum
  }
  return walk(folder)
}
