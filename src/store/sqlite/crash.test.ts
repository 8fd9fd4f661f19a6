import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { INBOX } from '../../mail/mailbox-name.ts'
import { collect } from '../contract/bench.test-kit.ts'
import { assertIntegrity } from './integrity.test-kit.ts'
import { openAt } from './open.test-kit.ts'
import type { Store } from './open.ts'

const ROUNDS = 8
/** A round is killed after so many acknowledgements and a moment of chance. */
const ACKNOWLEDGED = 150

/** Runs a writer until it has acknowledged enough, kills it as a power cut would, gives what it acknowledged. */
async function killedRound(folder: string, round: number): Promise<readonly string[]> {
  const writer = new URL('./crash-writer.test-kit.ts', import.meta.url)
  const child: ChildProcess = spawn(process.execPath, [writer.pathname, folder, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const acknowledged: string[] = []
  assert(child.stdout !== null)
  const ended = new Promise((resolve) => child.once('close', resolve))
  let text = ''
  let isDoomed = false
  child.stdout.setEncoding('latin1')
  child.stdout.on('data', (chunk: string) => {
    text += chunk
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    acknowledged.push(...lines)
    if (isDoomed || acknowledged.length < ACKNOWLEDGED) return
    isDoomed = true
    // Any point of the writer's work: inside a commit, a checkpoint, a file.
    setTimeout(() => child.kill('SIGKILL'), Math.random() * 60)
  })
  // Lines that were written before the kill are acknowledgements, too: 'close' comes after the last of them.
  await ended
  return acknowledged
}

async function subjectsIn(store: Store): Promise<string[]> {
  const account = await store.accounts.findAccount('anna@example.test')
  assert(account !== undefined)
  const access = { actor: { kind: 'system', what: 'test' }, owner: account.id } as const
  const opened = await store.mailboxes.open(access, INBOX, { readOnly: true })
  assert(opened.ok)
  const view = opened.value
  const seqs = Array.from({ length: view.exists }, (_, i) => i + 1)
  const subjects: string[] = []
  const sections = [{ path: [], what: 'all' }] as const
  for await (const rows of store.mailboxes.fetch(access, view, seqs, { size: true, sections }))
    for (const row of rows) {
      const octets = await collect(row.sections?.[0])
      assert.equal(octets.length, row.sizeBytes)
      const subject = /^Subject: (.*)\r\n/.exec(octets.toString('latin1'))?.[1] ?? ''
      assert(octets.toString('latin1').endsWith(`end of ${subject}\r\n`), `${subject} is whole`)
      subjects.push(subject)
    }
  const status = await store.mailboxes.status(access, INBOX)
  assert(status.ok)
  assert.equal(status.value.messages, subjects.length)
  return subjects
}

test('attack 29d: killed at any moment, every acknowledged message is there once, whole', {
  timeout: 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hikyaku-crash-'))
  try {
    const first = await openAt(folder)
    assert((await first.accounts.addAccount({ login: 'anna@example.test' })).ok)
    await first.close()
    const acknowledged = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      for (const one of await killedRound(folder, round)) acknowledged.add(one)
      assert(acknowledged.size >= (round + 1) * ACKNOWLEDGED, 'the writer worked')
    }
    const store = await openAt(folder)
    assertIntegrity(folder)
    const subjects = await subjectsIn(store)
    // One that was killed between hold and release is held, whole, and comes out once.
    for (const { id } of await store.quarantine.list({ limit: 1000 })) {
      const octets = Buffer.from((await store.quarantine.content(id, 1 << 30)) ?? []).toString('latin1')
      const subject = /^Subject: (.*)\r\n/.exec(octets)?.[1] ?? ''
      assert(octets.endsWith(`end of ${subject}\r\n`), `${subject} is held whole`)
      subjects.push(subject)
    }
    await store.close()
    assert.equal(new Set(subjects).size, subjects.length, 'none is there twice')
    const there = new Set(subjects)
    assert.deepEqual(
      [...acknowledged].filter((one) => !there.has(one)),
      [],
      'none is lost',
    )
  } finally {
    await rm(folder, { recursive: true })
  }
})
