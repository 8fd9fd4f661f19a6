import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { after, before, test } from 'node:test'
import { needSlowNamespace } from './programs.ts'
import { type Resolution, startResolution } from './resolution.ts'
import { makeScratch, type Scratch } from './scratch.ts'

const zone = `$TTL 60
@ IN SOA ns.test. hostmaster.test. 1 3600 600 86400 60
@ IN NS ns.test.
ns IN A 203.0.113.53
far IN TXT "one " "text"
far IN MX 10 mx.far
dead IN NS ns.nowhere
ns.nowhere IN A 203.0.113.55
`

let scratch: Scratch
let resolution: Resolution
let asker: Resolver

before(async () => {
  needSlowNamespace()
  scratch = makeScratch('resolution')
  resolution = await startResolution({
    folder: scratch.folder,
    origin: 'test.',
    authority: '203.0.113.53',
    zone,
  })
  asker = new Resolver({ timeout: 5000, tries: 1 })
  asker.setServers([resolution.server])
})

after(async () => {
  await resolution?.stop()
  scratch?.remove()
})

test('answers from the zone, through the resolver', async () => {
  assert.deepEqual(await asker.resolveTxt('far.test'), [['one ', 'text']])
  assert.deepEqual(
    (await asker.resolveMx('far.test')).map(({ exchange }) => exchange),
    ['mx.far.test'],
  )
})

test('tells a name that does not exist from one without such data and from one that cannot be asked', async () => {
  await assert.rejects(asker.resolveTxt('none.test'), { code: 'ENOTFOUND' })
  await assert.rejects(asker.resolveMx('ns.test'), { code: 'ENODATA' })
  await assert.rejects(asker.resolveTxt('dead.test'), { code: 'ESERVFAIL' })
  await assert.rejects(asker.resolveTxt('below.dead.test'), { code: 'ESERVFAIL' })
})
