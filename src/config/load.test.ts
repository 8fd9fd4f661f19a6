import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { defaultConfig, formatProblem, loadConfig, parseConfig } from './load.ts'
import { needsStart, referencePage, sampleConfig, showConfig } from './print.ts'
import { allSettings } from './settings.ts'

function problemsOf(toml: string): string[] {
  const loaded = parseConfig(toml, '/etc/hikyaku.toml')
  return loaded.ok ? [] : loaded.problems.map(formatProblem)
}

test('a wrong setting names file, line, setting, what is wrong and what to write', () => {
  assert.deepEqual(problemsOf('[server]\nhostname = "mail.example.org"\n\n[smtp]\nmax_message = "25 MB"\n'), [
    '/etc/hikyaku.toml:5: smtp.max_message: "25 MB" is not a size. Write a size such as "25 MiB" (B, KiB, MiB, GiB, TiB).',
  ])
})

test('an unknown setting names the one that was meant', () => {
  assert.deepEqual(problemsOf('[server]\nhost_name = "x.example"'), [
    '/etc/hikyaku.toml:2: server.host_name: there is no such setting. Write `hostname`.',
  ])
  assert.match(problemsOf('[sevrer]\n')[0] ?? '', /:1: sevrer: there is no such section\. Write `server`\./)
})

test('prototype names are no settings', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    assert.match(problemsOf(`[${name}]\nx = 1\n`)[0] ?? '', /there is no such section/)
    assert.match(problemsOf(`[server]\n${name} = 1\n`)[0] ?? '', /there is no such setting/)
  }
})

test('what is not TOML is told with its line', () => {
  assert.match(
    problemsOf('[server]\nhostname = mail\n')[0] ?? '',
    /^\/etc\/hikyaku\.toml:2: this is not TOML: /,
  )
})

test('dotted keys and multi-line values keep their lines', () => {
  const toml =
    'server.hostname = "mail.example.org"\n[domains]\nnames = [\n  "example.org",\n  "a b",\n]\nseparator = """+\n"""\n'
  const problems = problemsOf(toml)
  assert.match(problems[0] ?? '', /:3: domains\.names: "a b" is not a domain/)
  assert.match(problems[1] ?? '', /:7: domains\.separator/)
})

test('numbers that no longer count one by one are refused', () => {
  assert.match(problemsOf('[smtp]\nmax_message = "999999999 TiB"\n')[0] ?? '', /is not a size/)
  assert.match(problemsOf('[traces]\nkeep = "999999999 d"\n')[0] ?? '', /is not a duration/)
  assert.deepEqual(problemsOf('[traces]\nkeep = "99999999 d"\nmax_size = "8000 TiB"\n'), [])
})

test('all problems are told at once', () => {
  assert.equal(problemsOf('[smtp]\nmax_message = 1\nmax_recipients = 1\nbare_newlines = "yes"\n').length, 3)
})

const CLASHES: readonly (readonly [string, RegExp])[] = [
  ['[tls]\nkey = "/k.pem"\n', /tls\.certificate|tls\.key/],
  ['[submission]\ntrusted_networks = ["192.0.2.1"]\n', /trusted_from/],
  [
    '[submission]\ntrusted_networks = ["0.0.0.0/0"]\ntrusted_from = ["a@example.org"]\n',
    /large part of the Internet/,
  ],
  [
    '[submission]\ntrusted_networks = ["::/0"]\ntrusted_from = ["a@example.org"]\n',
    /large part of the Internet/,
  ],
  ['[outbound]\nsmarthost_user = "me"\n', /password_file/],
  [
    '[outbound]\nsmarthost_user = "me"\nsmarthost_password_file = "/p"\nsmarthost_tls = "opportunistic"\n',
    /password is not sent/,
  ],
  ['[outbound]\nretry_after = []\n', /second attempt/],
  ['[listen]\nlmtp = ["0.0.0.0:24"]\n', /open to the world/],
  ['[listen]\nproxy_from = ["0.0.0.0/0"]\n', /claim any address/],
  ['[listen]\nproxy_from = ["::/0"]\n', /claim any address/],
  ['[listen]\nproxy_from = ["0.0.0.0/1", "128.0.0.0/1"]\n', /claim any address/],
  ['[domains]\nseparator = "ab"\n', /one character/],
  ['[domains]\npostmaster = "me@other.example"\nnames = ["example.org"]\n', /not in one of your domains/],
  ['[domains]\ntest_domain = "example.org"\nnames = ["example.org"]\n', /one of your own domains/],
]
for (const [toml, expected] of CLASHES) {
  test(`settings that clash are refused together: ${JSON.stringify(toml)}`, () => {
    const problems = problemsOf(toml)
    assert.equal(problems.length, 1)
    assert.match(problems[0] ?? '', expected)
    assert.match(problems[0] ?? '', /:[1-4]: /)
  })
}

test('relative paths start from the folder of the file', () => {
  const loaded = parseConfig('[server]\ndata = "mail"\n[tls]\nca_file = "/x/ca.pem"\n', '/etc/hikyaku/h.toml')
  assert.ok(loaded.ok)
  assert.equal(loaded.config.server.data, '/etc/hikyaku/mail')
  assert.equal(loaded.config.tls.ca_file, '/x/ca.pem')
})

test('a missing file is one sentence', () => {
  const loaded = loadConfig('/nonexistent/hikyaku.toml')
  assert.ok(!loaded.ok)
  assert.match(formatProblem(loaded.problems[0] as (typeof loaded.problems)[0]), /cannot be read \(ENOENT\)/)
})

test('a configuration without a domain is right, and yet noted', () => {
  const loaded = parseConfig('[server]\nhostname = "mail.example.org"\n', '/etc/h.toml')
  assert.ok(loaded.ok)
  assert.deepEqual(
    loaded.notes.map(formatProblem).map((note) => note.slice(0, 80)),
    ["/etc/h.toml: domains.names: no domain is named: nobody's mail ends here. Write y"],
  )
  const named = parseConfig('[domains]\nnames = ["example.org"]\n', '/etc/h.toml')
  assert.deepEqual(named.ok && named.notes, [])
})

test('a port out of range is told as one', () => {
  assert.match(
    problemsOf('[listen]\nmx = ["0.0.0.0:70000"]\n')[0] ?? '',
    /port 70000 of "0\.0\.0\.0:70000" is out of range \(0 to 65535\)/,
  )
  assert.match(problemsOf('[outbound]\nsmarthost = "a.example:0"\n')[0] ?? '', /port 0 .*\(1 to 65535\)/)
  assert.match(problemsOf('[outbound]\nport = 0\n')[0] ?? '', /0 is out of range \(1 to 65535\)/)
})

test('what is not TOML gets a hint only where one helps', () => {
  const hint = (line: string): string => problemsOf(`[server]\n${line}\n`)[0] ?? ''
  assert.match(
    hint('hostname = mail.example.org'),
    /Write text in double quotes: `hostname = "mail\.example\.org"`\./,
  )
  assert.match(hint('hostname mail.example.org'), /Write a line such as/)
  assert.ok(!hint('hostname = "mail').includes('Write'))
  assert.ok(!hint('[server').includes('Write'))
})

test('a file that this user may not read names whose it is', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-load-'))
  const file = join(folder, 'hikyaku.toml')
  writeFileSync(file, '', { mode: 0o600 })
  process.seteuid?.(65534)
  try {
    const loaded = loadConfig(file)
    assert.ok(!loaded.ok)
    assert.match(
      formatProblem(loaded.problems[0] as (typeof loaded.problems)[0]),
      /cannot be read \(EACCES\): \S+ belongs to root \(mode 0700\) and this is user \w+; run the command as that user/,
    )
  } finally {
    process.seteuid?.(0)
    rmSync(folder, { recursive: true })
  }
})

test('sample, uncommented, is the default configuration', () => {
  const uncommented = sampleConfig().replace(/^#(?=\w+ = )/gm, '')
  const loaded = parseConfig(uncommented, '/etc/hikyaku.toml')
  assert.ok(loaded.ok, JSON.stringify(loaded))
  assert.deepEqual(loaded.config, defaultConfig())
})

test('round trip: what show prints is read back as the same configuration', () => {
  const loaded = parseConfig(
    '[smtp]\nmax_message = "1536 KiB"\n[listen]\nmx = ["[2001:db8::1]:25", "unix:/run/x y.sock"]\n',
    '/etc/h.toml',
  )
  assert.ok(loaded.ok)
  const again = parseConfig(showConfig(loaded.config), '/etc/h.toml')
  assert.ok(again.ok)
  assert.deepEqual(again.config, loaded.config)
})

test('every default survives its own kind, and every setting is explained in one sentence', () => {
  const page = referencePage()
  for (const { section, key, setting } of allSettings()) {
    assert.match(setting.says, /^[^\n|]+[.]$/, `${section}.${key}`)
    assert.ok(page.includes(`| \`${key}\` |`), key)
  }
})

test('a change that needs a new start is named', () => {
  const before = defaultConfig()
  const after = {
    ...before,
    server: { ...before.server, hostname: 'b.example' },
    smtp: { ...before.smtp, max_received: 30 },
  }
  assert.deepEqual(needsStart(before, after), ['server.hostname'])
})

test('cut at every byte: parseConfig answers with a value or problems, never with an exception', () => {
  const whole = showConfig(defaultConfig())
  for (let cut = 0; cut < whole.length; cut++) parseConfig(whole.slice(0, cut), '/h.toml')
})

test('parseConfig takes any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (toml) => void parseConfig(toml, '/h.toml')),
    { numRuns: 500 },
  )
})

test('a resolver is an address with a port; a socket is none (was: passed over in silence)', () => {
  assert.match(
    problemsOf('[dns]\nservers = ["unix:/run/resolver"]\n')[0] ?? '',
    /:2: dns\.servers: "unix:\/run\/resolver" is not an address with a port/,
  )
  assert.deepEqual(problemsOf('[dns]\nservers = ["192.0.2.53:53", "[2001:db8::53]:5353"]\n'), [])
})

test('what is read only at a start says so', () => {
  const before = defaultConfig()
  const after = {
    ...before,
    dns: { ...before.dns, timeout: 1 },
    outbound: { ...before.outbound, smarthost_ca: '/etc/ca.pem' },
    listen: { ...before.listen, proxy_from: [] },
  }
  assert.deepEqual(needsStart(before, after), ['outbound.smarthost_ca'])
})
