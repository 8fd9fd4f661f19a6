// A real DNS on loopback: nsd serves a zone, unbound resolves from it. For suites in the namespaces of test/slow.sh.

import { Resolver } from 'node:dns/promises'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { below } from './hikyaku.ts'
import { needPrograms, needSlowNamespace } from './programs.ts'
import { run, start } from './run.ts'
import { until, within } from './until.ts'

export interface ResolutionOptions {
  /** An empty folder of the test. */
  readonly folder: string
  /** The zone's name, `test.`: everything else does not resolve. */
  readonly origin: string
  /** The address that the zone gives its own name server: nsd answers there, on port 53. */
  readonly authority: string
  /** The zone in master file format (rfc1035 §5); `$INCLUDE` of an absolute path may stand in it. */
  readonly zone: string
}

export interface Resolution {
  /** Where unbound answers, as `dns.servers` takes it. */
  readonly server: string
  /** Ends both programs. */
  stop(): Promise<void>
}

const address = '127.0.0.1'
const startTimeoutMs = 20_000
const stopTimeoutMs = 10_000

/**
 * Starts nsd and unbound before it and waits until the zone's SOA comes through both. Delegations out of the zone lead
 * to addresses that the namespace has no way to: such names are SERVFAIL at once.
 */
export async function startResolution(options: ResolutionOptions): Promise<Resolution> {
  needSlowNamespace()
  needPrograms('nsd', 'unbound', 'ip')
  await addAddress(options.authority)
  const resolver = await freePort()
  const nsd = startNsd(options)
  const unbound = startUnbound(options, resolver)
  const stop = async () => {
    await Promise.all([nsd.stop(), unbound.stop()])
  }
  const server = `${address}:${resolver}`
  try {
    const asker = new Resolver({ timeout: 1000, tries: 1 })
    asker.setServers([server])
    await Promise.race([
      until(
        'nsd and unbound',
        async () => (await asker.resolveSoa(options.origin)) !== undefined,
        startTimeoutMs,
      ),
      nsd.early,
      unbound.early,
    ])
  } catch (error) {
    await stop()
    throw new Error(`${error instanceof Error ? error.message : error}\n${nsd.said()}\n${unbound.said()}`, {
      cause: error,
    })
  }
  return { server, stop }
}

interface Program {
  readonly early: Promise<never>
  said(): string
  stop(): Promise<void>
}

function startNsd({ folder, origin, authority, zone }: ResolutionOptions): Program {
  const home = below(folder, 'nsd')
  const zoneFile = join(home, 'zone')
  const config = join(home, 'nsd.conf')
  writeFileSync(zoneFile, `$ORIGIN ${origin}\n${zone}`)
  writeFileSync(
    config,
    `server:
  ip-address: ${authority}@53
  username: ""
  chroot: ""
  zonesdir: "${home}"
  database: ""
  pidfile: "${home}/nsd.pid"
  zonelistfile: "${home}/zone.list"
  xfrdfile: "${home}/xfrd.state"
  xfrdir: "${home}"
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: "${origin}"
  zonefile: "${zoneFile}"
`,
  )
  return supervised('nsd', ['-d', '-c', config])
}

function startUnbound({ folder, origin, authority }: ResolutionOptions, port: number): Program {
  const home = below(folder, 'unbound')
  const config = join(home, 'unbound.conf')
  writeFileSync(
    config,
    `server:
  interface: ${address}
  port: ${port}
  do-ip6: no
  access-control: 127.0.0.0/8 allow
  username: ""
  chroot: ""
  directory: "${home}"
  pidfile: "${home}/unbound.pid"
  use-syslog: no
  logfile: ""
  do-daemonize: no
  num-threads: 1
  module-config: "iterator"
  do-not-query-localhost: no
  # "test." is one of the names that unbound answers by itself (rfc6761 §6.2), were it not told otherwise.
  local-zone: "${origin}" nodefault
  # One silent delegation must not take the suite's time.
  outbound-msg-retry: 2
remote-control:
  control-enable: no
stub-zone:
  name: "${origin}"
  stub-addr: ${authority}
`,
  )
  return supervised('unbound', ['-d', '-c', config])
}

function supervised(program: string, args: readonly string[]): Program {
  const child = start(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` },
  })
  let said = ''
  const hear = (piece: Buffer) => {
    said += piece.toString()
  }
  child.stdout?.on('data', hear)
  child.stderr?.on('data', hear)
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  child.once('error', (error) => resolve(error.message))
  child.once('close', (code) => resolve(`exit ${code}`))
  const early = ended.then((how): never => {
    throw new Error(`${program} ended: ${how}`)
  })
  // When it ends later, that is no error of the start.
  early.catch(() => {})
  return {
    early,
    said: () => `--- ${program}\n${said}`,
    stop: async () => {
      child.kill('SIGTERM')
      try {
        await within(`the end of ${program}`, stopTimeoutMs, ended)
      } catch {
        child.kill('SIGKILL')
        await ended
      }
    },
  }
}

/** Gives this machine, in the namespace, an address of the test world. One that is there already is no error. */
export async function addAddress(address: string): Promise<void> {
  const prefix = address.includes(':') ? `${address}/128` : `${address}/32`
  // nodad: an IPv6 address is of use at once.
  const ran = await run('ip', [
    'addr',
    'replace',
    prefix,
    'dev',
    'lo',
    ...(address.includes(':') ? ['nodad'] : []),
  ])
  if (ran.code !== 0) throw new Error(`ip addr: ${ran.stderr}`)
}

/** A port that nothing has now; both carriers will use it. */
function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = createServer()
  server.once('error', reject)
  server.listen(0, address, () => {
    const bound = server.address()
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0
    server.close(() => resolve(port))
  })
  return promise
}
