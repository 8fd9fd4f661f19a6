// `hikyaku backup` while real mail comes in, `hikyaku restore` on another machine's empty folder, read by a real client.

import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createTransport } from 'nodemailer'
import { makeMbsync } from '../harness/clients/mbsync.ts'
import { swaks } from '../harness/clients/swaks.ts'
import { below, configText, loginAt, ports, type Server, startServer } from '../harness/hikyaku.ts'
import { assertOnlyTraceAdded } from '../harness/messages.ts'
import { needPrograms, needSlowNamespace, projectRoot } from '../harness/programs.ts'
import { type Ran, run, runWell, describe as told } from '../harness/run.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { until } from '../harness/until.ts'

const user = 'anna@example.test'
const from = 'sender@far.test'
const hands = 4

/** Every seventh is large enough to be a file of its own; each is another. */
function letter(name: string, index: number): Buffer {
  const line = `Letter ${name}, and a line of it that is no other letter's.\r\n`
  const text = line.repeat(index % 7 === 0 ? 8000 : 40)
  return Buffer.from(`From: ${from}\r\nSubject: ${name}\r\nMessage-ID: <${name}@far.test>\r\n\r\n${text}`)
}

describe('backup and restore', { timeout: 600_000 }, () => {
  let scratch: Scratch
  let server: Server
  let backups: string
  /** A generated one: libsasl refuses the many iterations that guard one that a person chose. */
  let password: string
  /** By subject: everything that was handed in. */
  const sent = new Map<string, Buffer>()
  const acknowledged: string[] = []

  before(async () => {
    needSlowNamespace()
    needPrograms('swaks', 'mbsync')
    scratch = makeScratch('backup')
    backups = join(scratch.folder, 'backups')
    server = await startServer({ folder: below(scratch.folder, 'server'), config: configText() })
    const added = await server.cli(['account', 'add', user])
    assert.equal(added.code, 0, told(added))
    password = /^Password: (\S+)$/m.exec(added.stdout.toString())?.[1] ?? ''
  })

  after(async () => {
    await server?.stop()
    scratch?.remove()
  })

  /** One connection that hands in letter after letter. */
  async function hand(number: number, isOver: () => boolean): Promise<void> {
    const transport = createTransport({
      host: '127.0.0.1',
      port: ports.mx,
      ignoreTLS: true,
      pool: true,
      maxConnections: 1,
    })
    try {
      for (let i = 0; !isOver(); i++) {
        const name = `${number}-${i}`
        const raw = letter(name, i)
        sent.set(name, raw)
        await transport.sendMail({ envelope: { from, to: user }, raw })
        acknowledged.push(name)
      }
    } finally {
      transport.close()
    }
  }

  const offline = (config: string, ...words: string[]): Promise<Ran> =>
    run(process.execPath, [join(projectRoot, 'src/app/main.ts'), ...words, '--config', config])

  const folders = (): readonly string[] => (existsSync(backups) ? readdirSync(backups) : [])

  let atBegin: readonly string[] = []

  test('a backup is made while four connections hand in mail', async () => {
    const first = await swaks({
      ...{ host: '127.0.0.1', port: ports.mx, from, to: [user], tls: 'none', folder: scratch.folder },
      message: letter('swaks', 7),
    })
    assert.equal(first.code, 0, told(first))
    sent.set('swaks', letter('swaks', 7))
    acknowledged.push('swaks')
    let isOver = false
    const working = Promise.all(Array.from({ length: hands }, (_, i) => hand(i, () => isOver)))
    while (acknowledged.length < 150) await new Promise((resolve) => setTimeout(resolve, 20))
    atBegin = [...acknowledged]
    const ran = await server.cli(['backup', backups, '--keep', '2'])
    isOver = true
    await working
    assert.equal(ran.code, 0, told(ran))
    assert.match(
      ran.stdout.toString(),
      /holds \d+ messages in mailboxes and the queue, [\d.]+ MiB; each message was looked at/,
    )
    assert(acknowledged.length > atBegin.length, 'mail went on coming')
    await until('the log', () => /backup\.made/.test(server.log()))
    assert.equal(folders().length, 1)
  })

  test('a running server is not restored over', async () => {
    const ran = await server.cli(['restore', backups])
    assert.equal(ran.code, 1)
    assert.match(ran.stderr, /The server runs on .*: stop it, then restore/)
  })

  test('a disk that is too small, or has no room for another file, is one sentence, and nothing is left', async () => {
    for (const [options, sentence] of [
      [
        'size=1m',
        /The backup needs [\d.]+ MiB, and [\d.]+ (?:KiB|MiB) are free where .*: free some space there/,
      ],
      [
        'size=1g,nr_inodes=10',
        /The disk that .* is on is full: free some space there, or name another folder/,
      ],
    ] as const) {
      const small = below(scratch.folder, `small-${options.replace(/\W/g, '-')}`)
      await runWell('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', small])
      try {
        const ran = await server.cli(['backup', small])
        assert.equal(ran.code, 1, told(ran))
        assert.match(ran.stderr, sentence)
        assert.deepEqual(readdirSync(small), [])
      } finally {
        await runWell('umount', [small])
      }
    }
  })

  test('a folder that the server may not write is named with its user', async () => {
    const locked = below(scratch.folder, 'locked')
    const other = below(scratch.folder, 'other')
    await server.stop()
    for (const path of [other, below(other, 'data')]) chownSync(path, 65_534, 65_534)
    chmodSync(locked, 0o755)
    const runAs = { uid: 65_534, gid: 65_534 }
    const config = configText()
    const theirs = await startServer({ folder: other, config, runAs })
    try {
      const ran = await theirs.cli(['backup', join(locked, 'backups')])
      assert.equal(ran.code, 1, told(ran))
      assert.match(
        ran.stderr,
        /User 65534 may not write there: .*Give .* to that user \(chown\), or name another folder/,
      )
      assert.deepEqual(readdirSync(locked), [])
    } finally {
      await theirs.stop()
    }
  })

  test('restored into a new folder, mbsync reads it octet for octet', async () => {
    const folder = below(scratch.folder, 'restored')
    const config = join(folder, 'hikyaku.toml')
    writeFileSync(config, configText())
    const ran = await offline(config, 'restore', backups)
    assert.equal(ran.code, 0, told(ran))
    assert.match(ran.stdout.toString(), /holds \d+ messages in mailboxes as they were at/)
    const checked = await offline(config, 'check')
    assert.equal(checked.code, 0, told(checked))
    const ca = (where: string) => readFileSync(join(where, 'data/tls/own-ca.pem'), 'utf8')
    assert.equal(ca(folder), ca(server.folder), 'clients need to trust nothing new')
    server = await startServer({ folder, config: configText() })
    mkdirSync(join(scratch.folder, 'mbsync'))
    const mbsync = makeMbsync(loginAt(server, { user, password }, 'imaps'), join(scratch.folder, 'mbsync'))
    const synced = await mbsync.sync()
    assert.equal(synced.code, 0, told(synced))
    const found = new Map<string, number>()
    for (const { bytes } of mbsync.files('INBOX')) {
      const name = /^Subject: (.*)\r$/m.exec(bytes.toString('latin1'))?.[1] ?? ''
      const original = sent.get(name)
      assert(original !== undefined, `${name} was handed in`)
      assertOnlyTraceAdded(bytes, original, name)
      found.set(name, (found.get(name) ?? 0) + 1)
    }
    assert.deepEqual(
      [...found].filter(([, times]) => times !== 1),
      [],
      'none twice',
    )
    assert.deepEqual(
      atBegin.filter((name) => !found.has(name)),
      [],
      'all that was acknowledged before the backup is there',
    )
    // Each connection waited for one answer before the next letter: what is there of it has no gap.
    for (let number = 0; number < hands; number++) {
      const indexes = [...found.keys()]
        .filter((name) => name.startsWith(`${number}-`))
        .map((name) => Number(name.split('-')[1]))
      assert.equal(Math.max(-1, ...indexes) + 1, indexes.length, `letters of connection ${number}`)
    }
  })
})
