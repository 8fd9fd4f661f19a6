// Starts the name server that answers for the author of signed mail.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { namesAddress } from './namespaces.ts'
import { type Author, makeAuthor, recordsOf } from './signed.ts'
import { freePorts } from './systems/system.ts'

export interface Names {
  readonly author: Author
  stop(): void
}

/** @param takes53 answers at `namesAddress` too, on the usual port, for programs that can't be told another. */
export async function startNames({ takes53 }: { readonly takes53: boolean }): Promise<Names> {
  const [port = 0] = await freePorts(1)
  const author = makeAuthor(port)
  const places = [`127.0.0.1:${port}`, ...(takes53 ? [`${namesAddress}:53`] : [])]
  const args = [places.join(','), JSON.stringify(recordsOf(author))]
  const child = fork(join(import.meta.dirname, 'names-server.ts'), args, { execArgv: [] })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the name server ended (${String(code)})`)
  })
  // Later its end is ours.
  ended.catch(() => {})
  for (const _ of places) await Promise.race([once(child, 'message'), ended])
  return { author, stop: () => void child.kill('SIGKILL') }
}
