// Hostile and very many clients at the whole server: each gets a stated answer, memory stays bounded and comes back,
// and the owner reads and sends mail all the while.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { converse, plainResponse } from '../harness/converse.ts'
import { addAccount, configText, ports, type Server, startServer } from '../harness/hikyaku.ts'
import { makeScratch } from '../harness/scratch.ts'
import { until } from '../harness/until.ts'
import { cpuTicks, Flooding, openDescriptors, residentBytes } from './flooding.ts'

const MIB = 1024 * 1024
const owner = { user: 'owner@example.test', password: 'flood-k3eper-of-the-m00n' }

const scratch = makeScratch('bounds')
let server: Server
let pid: number

before(async () => {
  // Any address of it can be the source of a connection.
  execFileSync('ip', ['route', 'add', 'local', '11.23.0.0/16', 'dev', 'lo'])
  const any = (port: number): string[] => [`0.0.0.0:${port}`]
  server = await startServer({
    folder: scratch.folder,
    config: configText({
      listen: {
        mx: any(ports.mx),
        submission: any(ports.submission),
        submissions: any(ports.submissions),
        imap: any(ports.imap),
        imaps: any(ports.imaps),
      },
      auth: { plain_text_on_loopback: true },
      smtp: { greeting_delay: '0 s' },
    }),
  })
  pid = server.process.pid ?? assert.fail('no process')
  await addAccount(server, owner.user, owner.password)
})

after(async () => {
  await server.stop()
  scratch.remove()
})

/** The owner logs in by IMAP and puts a message there, and hands one in: what no flood may keep from working. */
async function ownerWorks(): Promise<void> {
  await converse(
    { port: ports.imap },
    `S: * OK
     C: a LOGIN ${owner.user} "${owner.password}"
     S: a OK
     C: b APPEND INBOX {16+}
     C: Subject: mine\\r\\n
     S: b OK
     C: c LOGOUT
     S: * BYE`,
  )
  await converse(
    { port: ports.submission },
    `S: 220
     C: EHLO owner.test
     S: 250
     C: AUTH PLAIN ${plainResponse(owner.user, owner.password)}
     S: 235
     C: MAIL FROM:<${owner.user}>
     S: 250
     C: RCPT TO:<${owner.user}>
     S: 250
     C: DATA
     S: 354
     C: From: <${owner.user}>\\r\\n\\r\\nMine
     C: .
     S: 250
     C: QUIT
     S: 221`,
  )
}

/** Waits until the connections of a flood are gone, and the memory that they took with them. */
async function recovered(descriptors: number, residentBefore: number): Promise<void> {
  await until('all connections gone', () => openDescriptors(pid) <= descriptors + 10, 60_000)
  await ownerWorks()
  const grown = residentBytes(pid) - residentBefore
  assert.ok(grown < 250 * MIB, `${Math.round(grown / MIB)} MiB did not come back`)
}

test('attack 10c: 10,000 connections: one address has its share, port 25 has its, the owner gets in', async (t) => {
  const [descriptors, resident] = [openDescriptors(pid), residentBytes(pid)]
  const one = new Flooding(t, { port: ports.mx, count: 200 })
  const told = await one.tally(
    'a decision on each of one address',
    ({ closed, replies }) => sum(replies, '220') + closed === 200,
  )
  assert.equal(sum(told.replies, '220'), 50)
  assert.ok(sum(told.replies, '421') > 0)
  await one.end()

  const many = new Flooding(t, { port: ports.mx, count: 10_000, addresses: 2_500 })
  // Not all who are refused at once are told why.
  const all = await many.tally(
    'a decision on each of 10,000',
    ({ closed, replies }) => sum(replies, '220') + closed === 10_000,
  )
  assert.ok(sum(all.replies, '421') > 0)
  // One or two may have been somebody's who was just leaving.
  const inside = sum(all.replies, '220')
  assert.ok(inside > 5_950 && inside <= 6_000, `${inside} of 10,000 got in`)
  await ownerWorks()
  const guests = new Flooding(t, { port: ports.imap, count: 5_000, addresses: 2_500 })
  // 4,000 places are left for them; who came first makes room for the last ones, and for the owner.
  await guests.tally('guests at the door', ({ connected, replies }) => {
    return connected === 5_000 && sum(replies, '* OK') >= 4_900
  })
  await ownerWorks()
  const grown = residentBytes(pid) - resident
  t.diagnostic(
    `10,000 connections: ${Math.round(grown / MIB)} MiB, ${Math.round(grown / 10_000 / 1024)} KiB each`,
  )
  assert.ok(grown < 500 * MIB)
  await many.end()
  await guests.end()
  await recovered(descriptors, resident)
})

test('attack 5a, 9a: messages that never end: strangers are put off and lose theirs, the owner does not', async (t) => {
  const [descriptors, resident] = [openDescriptors(pid), residentBytes(pid)]
  const say = [
    'EHLO x\r\n',
    'MAIL FROM:<a@remote.test>\r\n',
    `RCPT TO:<${owner.user}>\r\n`,
    'DATA\r\n',
    'Subject: without end\r\n\r\n',
  ]
  // 400 messages of 240 KiB would be 94 MiB: more than strangers may have, less than would be put into files.
  const flood = new Flooding(t, {
    port: ports.mx,
    count: 600,
    addresses: 300,
    say: say.slice(0, 4),
    fillBytes: 240_000,
  })
  await flood.tally('clients in DATA', ({ done }) => done >= 300)
  await sleep(3_000)
  const put = new Flooding(t, { port: ports.mx, count: 20, addresses: 20, say: say.slice(0, 2) })
  const tally = await put.tally('MAIL put off', ({ replies }) => sum(replies, '452 4.3.1') >= 20)
  assert.equal(tally.replies['452 4.3.1'], 20)
  const grown = residentBytes(pid) - resident
  t.diagnostic(`messages without end: ${Math.round(grown / MIB)} MiB more`)
  assert.ok(grown < 400 * MIB, `${Math.round(grown / MIB)} MiB`)
  await ownerWorks()
  await flood.end()
  await put.end()
  await recovered(descriptors, resident)
  await converse(
    { port: ports.mx },
    'S: 220\nC: EHLO x\nS: 250\nC: MAIL FROM:<a@remote.test>\nS: 250\nC: QUIT\nS: 221',
  )
})

test('attack 25d: literals and headers of clients that have not logged in are held to the budget', async (t) => {
  const [descriptors, resident] = [openDescriptors(pid), residentBytes(pid)]
  const flood = new Flooding(t, {
    port: ports.imap,
    count: 2_000,
    addresses: 1_000,
    say: [`a LOGIN ${'{1000+}\r\n'}${'x'.repeat(1000)} {1000+}\r\n${'y'.repeat(900)}`],
  })
  await flood.tally('all have spoken', ({ done }) => done === 2_000)
  await ownerWorks()
  assert.ok(residentBytes(pid) - resident < 300 * MIB)
  await flood.end()
  await recovered(descriptors, resident)
})

test('attack 10d: clients that stop reading in the midst of a FETCH do not keep it in memory', async (t) => {
  const appends = Array.from({ length: 20 }, (_, i) => {
    const text = `Subject: ${i}\r\n\r\n${`${'y'.repeat(76)}\r\n`.repeat(2_500)}`
    return `C: a${i} APPEND INBOX {${text.length}+}\nC: ${text.replaceAll('\r\n', '\\r\\n')}\nS: a${i} OK`
  }).join('\n')
  await converse(
    { port: ports.imap },
    `S: * OK\nC: l LOGIN ${owner.user} "${owner.password}"\nS: l OK\n${appends}`,
  )
  const [descriptors, resident] = [openDescriptors(pid), residentBytes(pid)]
  const flood = new Flooding(t, {
    host: '127.0.0.1',
    addresses: 0,
    port: ports.imap,
    count: 100,
    say: [
      `a LOGIN ${owner.user} "${owner.password}"\r\n`,
      `b EXAMINE INBOX\r\n`,
      'c FETCH 1:* (BODY.PEEK[] BODY.PEEK[TEXT])\r\n',
    ],
    stopsReading: true,
  })
  await flood.tally('all fetch', ({ done }) => done >= 100)
  await sleep(3_000)
  await ownerWorks()
  const grown = residentBytes(pid) - resident
  t.diagnostic(`100 stalled FETCHes: ${Math.round(grown / MIB)} MiB`)
  assert.ok(grown < 300 * MIB, `${Math.round(grown / MIB)} MiB`)
  await flood.end()
  await recovered(descriptors, resident)
})

test('attack 10a: out of descriptors: nothing spins or dies, and all goes on when there are some again', async (t) => {
  const before = openDescriptors(pid)
  const limit = (soft: number): Buffer => execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${soft}:20000`])
  // The limit is on numbers: what a thread opened during a flood keeps its high one.
  const beyond = readdirSync(`/proc/${pid}/fd`).filter((number) => Number(number) >= before + 30).length
  limit(before + 30)
  try {
    const flood = new Flooding(t, { port: ports.mx, count: 200, addresses: 100 })
    await sleep(2_000)
    const open = openDescriptors(pid)
    assert.ok(
      open <= before + 35 + beyond,
      `${open} are open, ${before} were before, ${beyond} beyond the limit`,
    )
    const ticks = cpuTicks(pid)
    await sleep(2_000)
    assert.ok(cpuTicks(pid) - ticks < 100, 'it spins')
    await flood.end()
    await until('clients gone', () => openDescriptors(pid) <= before + 5)
    // A message that needs a file finds no descriptor for it: refused for now, and the connection lives.
    const socket = connect(ports.mx, '127.0.0.1')
    t.after(() => socket.destroy())
    await heard(socket, /^220 /m)
    limit(20)
    socket.write(`EHLO x\r\nMAIL FROM:<a@remote.test>\r\nRCPT TO:<${owner.user}>\r\nDATA\r\n`)
    await heard(socket, /^354 /m)
    socket.write(`Subject: x\r\n\r\n${`${'z'.repeat(76)}\r\n`.repeat(5_000)}.\r\n`)
    assert.match(await heard(socket, /^[245]\d\d .*\r\n/m), /^4\d\d 4\.3\./m)
    socket.write('NOOP\r\n')
    await heard(socket, /^250 /m)
  } finally {
    limit(20_000)
  }
  await ownerWorks()
  assert.equal(server.process.exitCode, null)
  const ran = await server.cli(['queue', 'list'])
  assert.equal(ran.code, 0, ran.stderr)
})

/** What the server says next, up to what is waited for. */
async function heard(socket: Socket, pattern: RegExp): Promise<string> {
  let text = ''
  const take = (piece: Buffer): void => {
    text += piece.toString('latin1')
  }
  socket.on('data', take)
  try {
    await until(`${pattern} from the server`, () => pattern.test(text))
    return text
  } finally {
    socket.off('data', take)
  }
}

function sum(replies: Readonly<Record<string, number>>, prefix: string): number {
  let total = 0
  for (const [reply, count] of Object.entries(replies)) if (reply.startsWith(prefix)) total += count
  return total
}
