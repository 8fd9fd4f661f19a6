// Python's imaplib, the client of most people's scripts.

import { join } from 'node:path'
import { runWell } from '../run.ts'
import type { Login } from './login.ts'

export interface ImaplibMessage {
  readonly uid: number
  /** The rest of its FETCH response: flags and size. */
  readonly head: string
  readonly body: Buffer
}

/** Every message of a mailbox. Rejects, with Python's traceback, on anything that imaplib does not like. */
export async function imaplibRead(login: Login, mailbox: string): Promise<ImaplibMessage[]> {
  const script = join(import.meta.dirname, 'imaplib_read.py')
  const ran = await runWell('python3', [script], { input: JSON.stringify({ ...login, mailbox }) })
  const messages = JSON.parse(ran.stdout.toString()) as { uid: number; head: string; body: string }[]
  return messages.map(({ uid, head, body }) => ({ uid, head, body: Buffer.from(body, 'base64') }))
}
