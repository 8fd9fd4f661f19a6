import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { after, before, test } from 'node:test'
import { type DnsServer, startDns } from './dns.ts'

let server: DnsServer
let resolver: Resolver

before(async () => {
  server = await startDns({
    zone: `
      far.test      MX 10 mx1.far.test
      far.test      MX 20 mx2.far.test
      mx1.far.test  A 11.22.33.25
      mx1.far.test  AAAA 2a11:2233::25
      www.far.test  CNAME mx1.far.test
      null.test     MX 0 .
      text.test     TXT "v=spf1 -all"
      broken.test   SERVFAIL
      half.test     MX SERVFAIL
      half.test     A 11.22.33.26
      silent.test   TIMEOUT
      big.test      TRUNCATED
      big.test      A 11.22.33.27`,
  })
  resolver = new Resolver({ timeout: 300, tries: 1 })
  resolver.setServers([`${server.address}:${server.port}`])
})

after(() => server.stop())

test('answers every kind of record', async () => {
  assert.deepEqual(await resolver.resolveMx('far.test'), [
    { exchange: 'mx1.far.test', priority: 10, type: 'MX' },
    { exchange: 'mx2.far.test', priority: 20, type: 'MX' },
  ])
  assert.deepEqual(await resolver.resolve4('mx1.far.test'), ['11.22.33.25'])
  assert.deepEqual(await resolver.resolve6('mx1.far.test'), ['2a11:2233::25'])
  assert.deepEqual(await resolver.resolve4('www.far.test'), ['11.22.33.25'])
  assert.deepEqual(await resolver.resolveMx('null.test'), [{ exchange: '', priority: 0, type: 'MX' }])
  assert.deepEqual(await resolver.resolveTxt('text.test'), [['v=spf1 -all']])
})

test('tells a name without data from a name that does not exist', async () => {
  await assert.rejects(resolver.resolveMx('mx1.far.test'), { code: 'ENODATA' })
  await assert.rejects(resolver.resolveMx('none.test'), { code: 'ENOTFOUND' })
})

test('fails where a line says so, by type if named', async () => {
  await assert.rejects(resolver.resolve4('broken.test'), { code: 'ESERVFAIL' })
  await assert.rejects(resolver.resolveMx('half.test'), { code: 'ESERVFAIL' })
  assert.deepEqual(await resolver.resolve4('half.test'), ['11.22.33.26'])
  await assert.rejects(resolver.resolve4('silent.test'), { code: 'ETIMEOUT' })
})

test('sends the asker to TCP', async () => {
  assert.deepEqual(await resolver.resolve4('big.test'), ['11.22.33.27'])
  assert.ok(server.asked.includes('big.test A udp'))
  assert.ok(server.asked.includes('big.test A tcp'))
})

test('changes its zone while it runs', async () => {
  await assert.rejects(resolver.resolve4('later.test'), { code: 'ENOTFOUND' })
  server.change('later.test A 11.22.33.28')
  assert.deepEqual(await resolver.resolve4('later.test'), ['11.22.33.28'])
})

test('refuses a line that it does not understand', async () => {
  await assert.rejects(startDns({ zone: 'far.test MX mx1.far.test' }), /not a zone line/)
})
