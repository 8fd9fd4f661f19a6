// What the server says, and does not do, when something is wrong with the machine, its files or its configuration.

import assert from 'node:assert/strict'
import { chmodSync, chownSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, describe, test } from 'node:test'
import { peerCertificate } from '../harness/certs.ts'
import { converse } from '../harness/converse.ts'
import {
  addAccount,
  below,
  configText,
  domain,
  launchServer,
  localName,
  ports,
  type Server,
  type ServerOptions,
  startServer,
} from '../harness/hikyaku.ts'
import { needPrograms, needSlowNamespace, projectRoot } from '../harness/programs.ts'
import { run, describe as told } from '../harness/run.ts'
import { makeScratch, type Scratch } from '../harness/scratch.ts'
import { accepts, until, within } from '../harness/until.ts'

/** nobody and nogroup, on every Debian. */
const nobody = { uid: 65534, gid: 65534 }
const password = 'correct-Horse-battery-9'

describe('what is refused, and how', { timeout: 600_000 }, () => {
  let scratch: Scratch
  let folder: string
  let round = 0
  const running: Server[] = []

  before(() => {
    needSlowNamespace()
    needPrograms('openssl', 'setpriv')
    scratch = makeScratch('refuse')
  })

  after(() => scratch?.remove())

  afterEach(async () => {
    for (const server of running.splice(0)) {
      // One that already ended is as good.
      if (server.process.exitCode === null && server.process.signalCode === null) await server.stop()
    }
  })

  const newFolder = () => {
    round++
    folder = below(scratch.folder, `server-${round}`)
    return folder
  }
  const started = async (options: ServerOptions) => {
    const server = await startServer(options)
    running.push(server)
    return server
  }
  /** Must end by itself, with a status other than 0 and no port left open; answers what it said. */
  const refused = async (options: ServerOptions, open: readonly number[] = []) => {
    const server = launchServer(options)
    running.push(server)
    const code = await within('the end of a server that must not start', 60_000, server.ended)
    const said = `${server.stdout()}\n${server.log()}`
    assert.notEqual(code, 0, said)
    assert.notEqual(code, undefined, `ended by a signal: ${said}`)
    for (const port of Object.values(ports)) {
      if (!open.includes(port)) assert.equal(await accepts(port), false, `port ${port} is open: ${said}`)
    }
    assertForPeople(said)
    return said
  }

  test('a key that the user may not read: file, owner, mode and the fix in one sentence; nothing is open', async () => {
    const { certFile, keyFile } = await peerCertificate(newFolder(), [localName, `mail.${domain}`])
    chmodSync(keyFile, 0o600)
    chownSync(keyFile, 0, 0)
    const data = below(folder, 'data')
    for (const path of [folder, data]) chownSync(path, nobody.uid, nobody.gid)
    const config = configText({ tls: { certificate: certFile, key: keyFile } })
    const said = await refused({ folder, config, runAs: nobody })
    const line = said.split('\n').find((text) => text.includes(keyFile))
    assert.ok(line, `no line names ${keyFile}:\n${said}`)
    assert.match(line, /root/, 'the owner is not named')
    assert.match(line, /\b0?600\b|-rw-------/, 'the mode is not named')
    assert.match(line, /chown|chgrp|chmod|setfacl|reload/, 'no fix is named')

    // And with the fix it starts.
    chownSync(keyFile, nobody.uid, nobody.gid)
    await started({ folder, config, runAs: nobody })
  })

  test('a wrong setting: file, line, setting, what is wrong, what to write', async () => {
    const config = configText({ smtp: { max_message: 'huge', max_recipients: 3 }, outbound: { port: 25 } })
    const wrong = config.replace('[outbound]\n', '[outbound]\nsmarthosst = "a"\n')
    const said = await refused({ folder: newFolder(), config: wrong })
    const file = join(folder, 'hikyaku.toml')
    const lineOf = (text: string) => wrong.slice(0, wrong.indexOf(text)).split('\n').length
    for (const [setting, text] of [
      ['smtp.max_message', 'max_message ='],
      ['smtp.max_recipients', 'max_recipients ='],
      ['outbound.smarthosst', 'smarthosst ='],
    ] as const) {
      const line = said.split('\n').find((each) => each.includes(setting))
      assert.ok(line?.includes(`${file}:${lineOf(text)}`), `${setting}: ${line}`)
    }
    assert.match(said, /max_message.*(MiB|size)/i)
    const checked = await launchCli(['config', 'check'])
    assert.notEqual(checked.code, 0)
    assert.match(`${checked.stdout.toString()}${checked.stderr}`, /smtp\.max_message/)
    writeFileSync(file, configText())
    assert.equal((await launchCli(['config', 'check'])).code, 0)
  })

  const launchCli = (args: readonly string[]) => {
    const main = join(projectRoot, 'src/app/main.ts')
    return run(process.execPath, [main, ...args, '--config', join(folder, 'hikyaku.toml')], { cwd: folder })
  }

  test('SIGHUP and reload with a bad file leave the old one in force; a good one takes effect', async () => {
    const server = await started({ folder: newFolder(), config: configText() })
    await addAccount(server, `someone@${domain}`, password)
    const file = join(folder, 'hikyaku.toml')
    const rcpt = (to: string, reply: string) =>
      converse(
        { port: ports.mx },
        `S: 220
         C: EHLO client.far.test
         S: 250
         C: MAIL FROM:<sender@far.test>
         S: 250
         C: RCPT TO:<${to}>
         S: ${reply}
         C: QUIT
         S: 221`,
      )
    await rcpt(`someone@${domain}`, '250')
    await rcpt('someone@second.test', '550 5.7.1')

    writeFileSync(file, `${configText({ domains: { names: ['second.test'] } })}\n[nonsense]\nx = 1\n`)
    const before = server.log().length
    server.process.kill('SIGHUP')
    await until('the log of a refused reload', () => /nonsense/.test(server.log().slice(before)))
    await rcpt(`someone@${domain}`, '250')
    await rcpt('someone@second.test', '550 5.7.1')

    const asked = await server.cli(['reload'])
    assert.notEqual(asked.code, 0, told(asked))
    assert.match(`${asked.stdout.toString()}${asked.stderr}`, /hikyaku\.toml:\d+.*nonsense/s)
    await rcpt(`someone@${domain}`, '250')

    writeFileSync(file, configText({ domains: { names: [domain, 'second.test'] } }))
    const good = await server.cli(['reload'])
    assert.equal(good.code, 0, told(good))
    await addAccount(server, 'someone@second.test', password)
    await rcpt('someone@second.test', '250')
    await rcpt(`someone@${domain}`, '250')

    // Not TOML at all.
    writeFileSync(file, '<html>')
    const mark = server.log().length
    server.process.kill('SIGHUP')
    await until('the log of a refused reload', () => /hikyaku\.toml/.test(server.log().slice(mark)))
    await rcpt('someone@second.test', '250')
  })

  test('a port that is taken is named, and no other port is left open', async () => {
    const squatter = createServer()
    await new Promise<void>((resolve) => squatter.listen(ports.imaps, '127.0.0.1', resolve))
    try {
      const said = await refused({ folder: newFolder(), config: configText() }, [ports.imaps])
      const line = said.split('\n').find((text) => text.includes(String(ports.imaps)))
      assert.ok(line, `port ${ports.imaps} is not named:\n${said}`)
      assert.match(line, /another program has it|in use/i)
    } finally {
      await new Promise((resolve) => squatter.close(resolve))
    }
  })

  test('attack 29i: a second server on the same data folder is refused, and the first goes on', async () => {
    const first = await started({ folder: newFolder(), config: configText() })
    const other = below(scratch.folder, `second-${round}`)
    const at = (port: number) => [`127.0.0.1:${port + 20000}`]
    const config = configText({
      server: { hostname: `mail.${domain}`, data: join(folder, 'data') },
      listen: {
        mx: at(ports.mx),
        submission: at(ports.submission),
        submissions: at(ports.submissions),
        imap: at(ports.imap),
        imaps: at(ports.imaps),
      },
    })
    const said = await refused({ folder: other, config }, Object.values(ports))
    assert.ok(said.includes(join(folder, 'data')), `the folder is not named:\n${said}`)
    assert.equal(await accepts(ports.mx + 20000), false)
    assert.equal(first.process.exitCode, null)
    await addAccount(first, `someone@${domain}`, password)
    await converse({ port: ports.mx }, 'S: 220\nC: QUIT\nS: 221')
  })

  test('a second server on the same ports is refused, although ports could be shared', async () => {
    await started({ folder: newFolder(), config: configText() })
    const said = await refused(
      { folder: below(scratch.folder, `shared-${round}`), config: configText() },
      Object.values(ports),
    )
    assert.match(said, new RegExp(Object.values(ports).join('|')))
  })

  test('a data folder of a newer version is refused and left as it is', async () => {
    const server = await started({ folder: newFolder(), config: configText() })
    await addAccount(server, `someone@${domain}`, password)
    assert.equal(await server.stop(), 0)
    const file = join(folder, 'data/hikyaku.db')
    const version = (change?: number): unknown => {
      const db = new DatabaseSync(file)
      try {
        if (change !== undefined) db.exec(`PRAGMA user_version = ${change}`)
        return db.prepare('PRAGMA user_version').get()?.user_version
      } finally {
        db.close()
      }
    }
    const current = version()
    version(9999)
    const said = await refused({ folder, config: configText() })
    assert.match(said, /newer/i)
    assert.ok(said.includes(join(folder, 'data')), `the folder is not named:\n${said}`)
    assert.equal(version(), 9999)
    version(Number(current))
    await started({ folder, config: configText() })
  })

  test('a data folder that cannot be written is told in one sentence', async () => {
    newFolder()
    const data = below(folder, 'data')
    chmodSync(data, 0o755)
    chownSync(data, 0, 0)
    const said = await refused({ folder, config: configText(), runAs: nobody })
    assert.ok(said.includes(data), `the folder is not named:\n${said}`)
  })
})

/** An error that a person reads has no stack in it. */
function assertForPeople(said: string): void {
  assert.doesNotMatch(said, /^\s+at .*(file:\/\/|node:internal)/m, `a stack trace:\n${said}`)
}
