// Clients change what is stored: flags, appends, moves, copies, new mailboxes, expunges; a second look agrees.

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { openImapFlow } from '../harness/clients/imapflow.ts'
import { imaplibRead } from '../harness/clients/imaplib.ts'
import type { Login } from '../harness/clients/login.ts'
import { type MaildirFile, type Mbsync, makeMbsync, unmarked } from '../harness/clients/mbsync.ts'
import { makeMutt } from '../harness/clients/mutt.ts'
import { below, loginAt, type Server, startServer } from '../harness/hikyaku.ts'
import { sample, samples } from '../harness/messages.ts'
import { needPrograms, needSlowNamespace } from '../harness/programs.ts'
import { describe as told } from '../harness/run.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { until } from '../harness/until.ts'

const names = ['plain', 'leading dots', 'ISO-2022-JP', '8-bit UTF-8', 'nested parts'] as const

interface Stored {
  readonly uid: number
  readonly flags: readonly string[]
  readonly sample: string
}

describe('clients that write', { timeout: 600_000 }, () => {
  let scratch: Scratch
  let server: Server
  let login: Login
  let round = 0

  before(async () => {
    needSlowNamespace()
    needPrograms('mbsync', 'mutt', 'script', 'python3')
    scratch = makeScratch('writes')
    server = await startServer({ folder: below(scratch.folder, 'server') })
    login = loginAt(server, server.firstAccount(), 'imaps')
  })

  after(async () => {
    await server?.stop()
    scratch?.remove()
  })

  /** The same five messages in INBOX, and nothing anywhere else. */
  beforeEach(async () => {
    round++
    const client = await openImapFlow(login)
    try {
      for (const { path, specialUse } of await client.list()) {
        await client.mailboxOpen(path)
        await client.messageDelete('1:*')
        if (path !== 'INBOX' && !specialUse) await client.mailboxDelete(path)
      }
      for (const name of names) await client.append('INBOX', sample(name))
    } finally {
      await client.logout()
    }
  })

  const stored = async (mailbox: string): Promise<Stored[]> => {
    const messages = await imaplibRead(login, mailbox)
    return messages.map(({ uid, head, body }) => ({
      uid,
      flags: (/FLAGS \(([^)]*)\)/.exec(head)?.[1] ?? '')
        .split(' ')
        .filter((flag) => flag && flag !== '\\Recent')
        .sort(),
      sample:
        samples.find(({ bytes }) => unmarked(body).equals(bytes))?.name ??
        body.toString('latin1').slice(0, 200),
    }))
  }
  const namesIn = async (mailbox: string) => (await stored(mailbox)).map((each) => each.sample).sort()

  const synced = async (mbsync: Mbsync) => {
    const ran = await mbsync.sync()
    assert.equal(ran.code, 0, told(ran))
    assert.equal(ran.stderr, '', told(ran))
  }
  const fresh = async () => {
    const mbsync = makeMbsync(login, below(scratch.folder, `mbsync-${round}`))
    await synced(mbsync)
    return mbsync
  }
  const local = (mbsync: Mbsync, name: string): MaildirFile => {
    const found = mbsync.files('INBOX').find(({ bytes }) => bytes.equals(sample(name)))
    assert.ok(found, `mbsync has no "${name}"`)
    return found
  }
  /** A further synchronisation changes nothing on either side. */
  const assertSettled = async (mbsync: Mbsync, mailboxes: readonly string[]) => {
    const look = async () => [
      ...mailboxes.map((mailbox) => mbsync.files(mailbox).map(({ path }) => basename(path))),
      ...(await Promise.all(mailboxes.map(stored))),
    ]
    const before = await look()
    await synced(mbsync)
    assert.deepEqual(await look(), before)
  }

  test('mbsync: flags go up and come down', async () => {
    const mbsync = await fresh()
    const { path } = local(mbsync, 'plain')
    renameSync(path, withFlags(path, 'FRS'))
    await synced(mbsync)
    const up = (await stored('INBOX')).find((each) => each.sample === 'plain')
    assert.deepEqual(up?.flags, ['\\Answered', '\\Flagged', '\\Seen'])

    const client = await openImapFlow(login)
    try {
      await client.mailboxOpen('INBOX')
      await client.messageFlagsRemove('1', ['\\Flagged'])
      await client.messageFlagsAdd('2', ['\\Draft'])
    } finally {
      await client.logout()
    }
    await synced(mbsync)
    assert.equal(local(mbsync, 'plain').flags, 'RS')
    assert.equal(local(mbsync, 'leading dots').flags, 'D')
    await assertSettled(mbsync, ['INBOX'])
  })

  test('mbsync: an append goes up, a move goes up, new mailboxes go up', async () => {
    const mbsync = await fresh()
    const inbox = mbsync.folder('INBOX')
    writeFileSync(join(inbox, 'cur/1795500000.appended.test:2,S'), toLf(sample('odd white space')))
    // mbsync writes names as they are on the wire: modified UTF-7 (rfc3501 §5.1.3).
    const wire = 'D&AOk-j&AOA- vu &mNuBGg-'
    const work = join(mbsync.folder('INBOX'), '..', 'Work')
    for (const folder of [work, join(work, wire)]) {
      for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(folder, part), { recursive: true })
    }
    const moved = local(mbsync, 'ISO-2022-JP').path
    // Without the UID in its name it is a new message there.
    renameSync(moved, join(work, wire, 'cur', basename(moved).replace(/,U=\d+/, '')))
    await synced(mbsync)
    // The message that is gone here is deleted there only by the flag: mbsync says so by its next run.
    await synced(mbsync)
    assert.deepEqual(await namesIn('INBOX'), [
      '8-bit UTF-8',
      'leading dots',
      'nested parts',
      'odd white space',
      'plain',
    ])
    const client = await openImapFlow(login)
    try {
      const paths = (await client.list()).map(({ path }) => path)
      assert.ok(paths.includes('Work'), paths.join())
      assert.ok(paths.includes('Work/Déjà vu 飛脚'), paths.join())
      await client.mailboxOpen('Work/Déjà vu 飛脚')
      const [message] = await client.fetchAll('1:*', { source: true })
      assert.ok(unmarked(message?.source ?? Buffer.alloc(0)).equals(sample('ISO-2022-JP')))
    } finally {
      await client.logout()
    }
    await assertSettled(mbsync, ['INBOX', 'Work'])
  })

  test('mbsync: an expunge goes up and comes down', async () => {
    const mbsync = await fresh()
    const { path } = local(mbsync, 'plain')
    renameSync(path, withFlags(path, 'ST'))
    await synced(mbsync)
    assert.deepEqual(await namesIn('INBOX'), ['8-bit UTF-8', 'ISO-2022-JP', 'leading dots', 'nested parts'])

    const client = await openImapFlow(login)
    try {
      await client.mailboxOpen('INBOX')
      await client.messageDelete('1')
      await client.messageMove('1', 'Archive')
    } finally {
      await client.logout()
    }
    await synced(mbsync)
    assert.equal(mbsync.files('INBOX').length, 2)
    assert.equal(mbsync.files('Archive').length, 1)
    await assertSettled(mbsync, ['INBOX', 'Archive'])
  })

  test('mbsync: a mailbox that is gone here is gone there', async () => {
    const client = await openImapFlow(login)
    await client.mailboxCreate('Old')
    await client.logout()
    const mbsync = await fresh()
    rmSync(mbsync.folder('Old'), { recursive: true })
    await synced(mbsync)
    const again = await openImapFlow(login)
    try {
      const paths = (await again.list()).map(({ path }) => path)
      assert.ok(!paths.includes('Old'), paths.join())
    } finally {
      await again.logout()
    }
    assert.ok(!readdirSync(join(mbsync.folder('INBOX'), '..')).includes('Old'))
  })

  test('mutt flags, deletes, saves, copies and creates', async () => {
    const mutt = makeMutt(login, below(scratch.folder, `mutt-${round}`))
    const ran = await mutt.press(
      'INBOX',
      [
        '<first-entry><flag-message><next-entry><delete-message><sync-mailbox>',
        '<last-entry><save-message>=Archive<enter><sync-mailbox>',
        '<first-entry><copy-message>=Made-by-mutt<enter><set-flag>r<quit>',
      ].join(''),
    )
    assert.equal(ran.code, 0, told(ran))
    assert.deepEqual(await namesIn('INBOX'), ['8-bit UTF-8', 'ISO-2022-JP', 'plain'])
    const plain = (await stored('INBOX')).find((each) => each.sample === 'plain')
    assert.ok(plain?.flags.includes('\\Flagged'), plain?.flags.join())
    assert.ok(plain?.flags.includes('\\Answered'), plain?.flags.join())
    assert.deepEqual(await namesIn('Archive'), ['nested parts'])
    assert.deepEqual(await namesIn('Made-by-mutt'), ['plain'])
    const second = await mutt.press('INBOX', '<quit>')
    assert.equal(second.code, 0, told(second))
    assert.deepEqual(await namesIn('INBOX'), ['8-bit UTF-8', 'ISO-2022-JP', 'plain'])
  })

  test('imapflow sees what another client does, without asking', async () => {
    const idle = await openImapFlow(login)
    const other = await openImapFlow(login)
    try {
      await idle.mailboxOpen('INBOX')
      const events: string[] = []
      idle.on('exists', ({ count }: { count: number }) => events.push(`exists ${count}`))
      idle.on('expunge', ({ seq }: { seq: number }) => events.push(`expunge ${seq}`))
      idle.on('flags', ({ seq, flags }: { seq: number; flags: Set<string> }) =>
        events.push(`flags ${seq} ${[...flags].filter((flag) => flag !== '\\Recent').join(' ')}`),
      )
      const idling = idle.idle()
      await other.mailboxOpen('INBOX')
      await other.messageFlagsAdd('2', ['\\Flagged'])
      await other.append('INBOX', sample('no body'))
      await other.messageDelete('1')
      // The server may tell of the new message before or after the other one is gone.
      const wanted = [/^flags 2 \\Flagged$/, /^exists [56]$/, /^expunge 1$/]
      const allSeen = () => wanted.every((event) => events.some((seen) => event.test(seen)))
      await until(`the pushes; so far ${events.join(', ')}`, allSeen)
      await idle.noop()
      await idling
    } finally {
      await idle.logout()
      await other.logout()
    }
  })
})

function withFlags(path: string, flags: string): string {
  return path.replace(/\/(new|cur)\//, '/cur/').replace(/(:2,[A-Za-z]*)?$/, `:2,${flags}`)
}

function toLf(bytes: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(bytes).toString('latin1').replace(/\r\n/g, '\n'), 'latin1')
}
