import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { chmod, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import type { TraceId } from '../mail/ids.ts'
import { systemClock } from './clock.ts'
import { RoutedLog } from './log.ts'
import { FileSink } from './log-file.ts'
import { classicLine, formatValue, jsonLine, type LogRecord } from './log-line.ts'
import { LineBuffer, type LogSink, type SinkLine } from './log-sink.ts'
import { makeSyslogSink, syslogPriority } from './log-syslog.ts'
import { tempFolder } from './testing.ts'

const origin = { host: 'mail', program: 'hikyaku', pid: 123 }
const traceId = '01j9z8x7w6v5t4s3r2q1' as TraceId

function record(fields: LogRecord['fields'], traced = true): LogRecord {
  const atMs = new Date(2026, 10, 4, 8, 5, 21).getTime()
  return { name: 'message.accepted', fields, traceId: traced ? traceId : undefined, atMs }
}

test('the classic line, with and without a trace', () => {
  const fields = { from: 'a@b.test', size: 12, tls: true, missing: undefined }
  assert.equal(
    classicLine(record(fields), origin),
    `Nov  4 08:05:21 mail hikyaku[123]: ${traceId}: message.accepted from=a@b.test, size=12, tls=true`,
  )
  assert.equal(classicLine(record({}, false), origin), 'Nov  4 08:05:21 mail hikyaku[123]: message.accepted')
})

test('the JSON line', () => {
  const line = JSON.parse(jsonLine(record({ from: 'a@b.test', size: 12 }), origin))
  assert.deepEqual(
    { ...line, time: '' },
    {
      time: '',
      host: 'mail',
      pid: 123,
      event: 'message.accepted',
      trace: traceId,
      from: 'a@b.test',
      size: 12,
    },
  )
})

test('attack 8b, 31d: a value can not end its line, forge a field or steer a terminal', () => {
  assert.equal(formatValue('a b'), '"a b"')
  assert.equal(formatValue('ab'), 'ab')
  assert.equal(formatValue('a\tb'), '"a\\x09b"')
  assert.equal(formatValue('x\r\nNov 24 forged'), '"x\\x0d\\x0aNov 24 forged"')
  assert.equal(formatValue('x, status=accepted'), '"x, status=accepted"')
  assert.equal(formatValue('say "hi"'), '"say \\"hi\\""')
  assert.equal(formatValue('\u001b[2J\u0007'), '\\x1b[2J\\x07')
  assert.equal(formatValue('\u202egpj.exe'), '\\u202egpj.exe')
  assert.equal(formatValue(''), '""')
  assert.equal(formatValue('日本\ud800'), '日本\ufffd')
  assert.equal(formatValue('x'.repeat(1000)).length, 400)
})

test('any value: one line, bounded, printable', () => {
  const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 600 }), fc.string({ maxLength: 50 }))
  fc.assert(
    fc.property(value, value, (a, b) => {
      const line = classicLine(record({ a, b }), origin)
      assert.ok(line.length <= 4000 && line.isWellFormed())
      assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/)
      assert.equal(jsonLine(record({ a, b }), origin).includes('\n'), false)
    }),
  )
})

interface Remembering extends LogSink {
  readonly lines: string[]
  dropped: number
}

function rememberingSink(): Remembering {
  const sink: Remembering = {
    lines: [],
    dropped: 0,
    write: (line) => void sink.lines.push(line.bare),
    reopen: () => undefined,
    close: () => Promise.resolve(),
    takeDropped() {
      const { dropped } = sink
      sink.dropped = 0
      return dropped
    },
  }
  return sink
}

test('routes: by facility and level; dropped lines are told', async () => {
  const mail = rememberingSink()
  const imap = rememberingSink()
  const errors = rememberingSink()
  const log = new RoutedLog({
    clock: systemClock(),
    origin,
    routes: [
      { sink: mail, facilities: ['mail', 'auth', 'daemon'], level: 'info' },
      { sink: imap, facilities: ['imap'], level: 'info' },
      { sink: errors, level: 'error' },
    ],
  })
  imap.dropped = 7
  log.event('connect', { client: '192.0.2.1' })
  log.event('imap.connect', { client: '192.0.2.2' })
  log.event('imap.select', { mailbox: 'INBOX' })
  log.event('store.fault', { cause: 'disk' })
  assert.deepEqual(mail.lines, ['connect client=192.0.2.1', 'log.dropped lines=7', 'store.fault cause=disk'])
  assert.deepEqual(imap.lines, ['imap.connect client=192.0.2.2'])
  assert.deepEqual(errors.lines, ['log.dropped lines=7', 'store.fault cause=disk'])
  await log.change([{ sink: imap, level: 'debug' }])
  log.event('imap.select', { mailbox: 'INBOX' })
  assert.equal(imap.lines.length, 2)
  assert.equal(mail.lines.length, 3)
  await log.close()
  log.event('connect', {})
  assert.equal(imap.lines.length, 2)
})

const line = (text: string): SinkLine => ({
  classic: text,
  json: `{"t":"${text}"}`,
  bare: text,
  facility: 'mail',
  level: 'info',
})

test('a file: appended in order, private, JSON where wanted', async (t) => {
  const folder = await tempFolder(t)
  const path = join(folder, 'mail.log')
  await writeFile(path, 'before\n')
  const sink = FileSink.open({ to: path, form: 'classic' })
  const expected = ['before']
  for (let i = 0; i < 2000; i++) {
    sink.write(line(`line ${i}`))
    expected.push(`line ${i}`)
  }
  await sink.close()
  assert.equal(await readFile(path, 'utf8'), `${expected.join('\n')}\n`)
  const json = join(folder, 'mail.json')
  const other = FileSink.open({ to: json, form: 'json' })
  other.write(line('x'))
  await other.close()
  assert.equal(await readFile(json, 'utf8'), '{"t":"x"}\n')
  assert.equal((await stat(json)).mode & 0o777 & ~0o640, 0)
  assert.throws(() => FileSink.open({ to: join(folder, 'no', 'x'), form: 'json' }), /ENOENT/)
})

test('a rotated file: at once after reopen, by itself soon after', async (t) => {
  const path = join(await tempFolder(t), 'mail.log')
  const sink = FileSink.open({ to: path, form: 'classic' })
  const written = async (file: string, text: string) => {
    while (!(await readFile(file, 'utf8').catch(() => '')).includes(text)) await setTimeout(5)
  }
  sink.write(line('one'))
  await written(path, 'one')
  await rename(path, `${path}.1`)
  sink.reopen()
  sink.write(line('two'))
  await written(path, 'two')
  assert.equal(await readFile(`${path}.1`, 'utf8'), 'one\n')
  await rm(path)
  for (let i = 0; !(await readFile(path, 'utf8').catch(() => '')).includes('three'); i++) {
    sink.write(line(`three ${i}`))
    await setTimeout(100)
  }
  await sink.close()
})

test('a rotated file that can not be opened anew is told once, and lines are kept in the old one', async (t) => {
  const folder = join(await tempFolder(t), 'log')
  await mkdir(folder)
  const path = join(folder, 'mail.log')
  const told: string[] = []
  const sink = FileSink.open({ to: path, form: 'classic', onProblem: (sentence) => told.push(sentence) })
  await rename(folder, `${folder}.moved`)
  for (const text of ['one', 'two']) {
    sink.reopen()
    sink.write(line(text))
  }
  await sink.close()
  assert.equal(await readFile(join(`${folder}.moved`, 'mail.log'), 'utf8'), 'one\ntwo\n')
  assert.equal(told.length, 1)
  assert.match(told[0] ?? '', /can't be opened after its rotation: ENOENT/)
})

test('a log whose path can not be looked at any more keeps taking lines', async (t) => {
  const path = join(await tempFolder(t), 'mail.log')
  const told: string[] = []
  const sink = FileSink.open({ to: path, form: 'classic', onProblem: (sentence) => told.push(sentence) })
  await rename(path, `${path}.1`)
  // Fails in stat (ELOOP) as a folder does that only root may enter (EACCES), for root too.
  await symlink(path, path)
  sink.reopen()
  sink.write(line('one'))
  await sink.close()
  assert.equal(await readFile(`${path}.1`, 'utf8'), 'one\n')
  assert.match(told[0] ?? '', /ELOOP/)
})

test('what waits is written when the process must die', async (t) => {
  const path = join(await tempFolder(t), 'mail.log')
  const sink = FileSink.open({ to: path, form: 'classic' })
  sink.write(line('under way'))
  sink.write(line('last words'))
  sink.flushSync()
  assert.match(await readFile(path, 'utf8'), /last words\n/)
  await sink.close()
})

test('the buffer is bounded and counts what it drops', () => {
  const buffer = new LineBuffer(10)
  for (const text of ['12345', '67890', 'x', 'y']) buffer.add(text)
  assert.equal(buffer.takeAll(), '1234567890')
  assert.equal(buffer.takeDropped(), 2)
  assert.equal(buffer.takeDropped(), 0)
  assert.equal(buffer.isEmpty, true)
})

async function fakeLogger(t: TestContext): Promise<{ command: string; output: string }> {
  const folder = await tempFolder(t)
  const command = join(folder, 'logger')
  const output = join(folder, 'out')
  await writeFile(command, `#!/bin/sh\necho "$@" >> ${output}\ncat >> ${output}\n`)
  await chmod(command, 0o755)
  return { command, output }
}

test('syslog by logger: tag, priority before each line, started again after a rotation', async (t) => {
  const { command, output } = await fakeLogger(t)
  const sink = makeSyslogSink({ via: 'logger', program: 'hikyaku', pid: 9, command })
  sink.write(line('one'))
  sink.write({ ...line('two'), facility: 'imap', level: 'warning' })
  await sink.close()
  const args = '--prio-prefix --size 8192 --tag hikyaku[9]'
  assert.equal(await readFile(output, 'utf8'), `${args}\n<22>one\n<180>two\n`)
  sink.reopen()
  sink.write(line('three'))
  await sink.close()
  assert.match(await readFile(output, 'utf8'), /<22>three\n$/)
  assert.equal(sink.takeDropped(), 0)
})

test('syslog without a logger: lines are dropped and counted, nothing crashes', async () => {
  const sink = makeSyslogSink({ via: 'logger', program: 'hikyaku', pid: 9, command: '/nonexistent/logger' })
  sink.write(line('one'))
  await setTimeout(100)
  sink.write(line('two'))
  assert.ok(sink.takeDropped() >= 1)
  await sink.close()
})

test('syslog by UDP', async (t) => {
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const sink = makeSyslogSink({
    via: 'udp',
    program: 'hikyaku',
    pid: 9,
    address: '127.0.0.1',
    port: socket.address().port,
  })
  const got = new Promise<string>((resolve) =>
    socket.once('message', (message) => resolve(message.toString())),
  )
  sink.write(line('Nov 24 hello'))
  assert.equal(await got, '<22>Nov 24 hello')
  await sink.close()
  assert.equal(syslogPriority({ facility: 'auth', level: 'warning' }), 36)
})
