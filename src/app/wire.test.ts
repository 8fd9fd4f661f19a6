import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { defaultConfig } from '../config/load.ts'
import type { DnsServer } from '../platform/resolv-conf.ts'
import { changeResolver, readTrustedCas } from './wire.ts'

test('a CA file of the smarthost that is missing or none is one sentence, not an error of the program', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hikyaku-wire-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const usual = defaultConfig()
  const named = (file: string) => ({ ...usual, outbound: { ...usual.outbound, smarthost_ca: file } })
  assert.deepEqual(readTrustedCas(usual), { ok: true, value: undefined })
  const missing = readTrustedCas(named(join(folder, 'missing.pem')))
  assert.ok(!missing.ok)
  assert.match(missing.sentence, /missing\.pem \(ENOENT\); see outbound\.smarthost_ca\.$/)
  writeFileSync(join(folder, 'text.pem'), 'no certificate\n')
  const wrong = readTrustedCas(named(join(folder, 'text.pem')))
  assert.ok(!wrong.ok)
  assert.match(wrong.sentence, /text\.pem .*; see outbound\.smarthost_ca\.$/)
})

test('a reload asks other resolvers only where the settings name others', () => {
  const used: (readonly DnsServer[])[] = []
  const resolver = { useServers: (servers: readonly DnsServer[]) => void used.push(servers) }
  const usual = defaultConfig()
  const at = (port: number) => ({
    ...usual,
    dns: { ...usual.dns, servers: [{ address: '192.0.2.53', port }] },
  })
  changeResolver(resolver, at(53), at(53))
  assert.equal(used.length, 0)
  changeResolver(resolver, at(53), at(54))
  assert.deepEqual(used, [[{ address: '192.0.2.53', port: 54, validates: false }]])
})
