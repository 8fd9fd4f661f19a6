import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../mail/address.ts'
import type { Resolution } from '../ports/directory.ts'
import { withPretended } from './pretended-directory.ts'

const HERE: Resolution = { kind: 'local', via: 'alias', accounts: [], remote: [] }
const directory = withPretended(
  {
    isOurDomain: (domain) => domain === 'example.test',
    resolve: ({ local, domain }) =>
      domain !== 'example.test' ? { kind: 'not-ours' } : local === 'me' ? HERE : { kind: 'no-such-user' },
    mayUse: () => false,
    loginOf: () => undefined,
  },
  ({ local }) => local === 'me' || local === 'guest',
)

function resolved(text: string): Resolution {
  const address = parseAddress(text)
  assert(address !== undefined)
  return directory.resolve(address)
}

test('who is not here is said to be, where that is pretended, and nobody else', () => {
  for (const text of ['guest@example.test', 'guest@far.test']) {
    const found = resolved(text)
    assert(found.kind === 'local')
    assert.deepEqual(
      found.accounts.map(({ login }) => login),
      [text],
    )
  }
  assert.deepEqual(resolved('other@example.test'), { kind: 'no-such-user' })
  assert.deepEqual(resolved('other@far.test'), { kind: 'not-ours' })
  assert.equal(directory.isOurDomain('far.test'), false)
})

test('a mailbox that is there stays the one it is; the pretended account is no account', () => {
  assert.equal(resolved('me@example.test'), HERE)
  const found = resolved('guest@example.test')
  const account = found.kind === 'local' ? found.accounts[0]?.account : undefined
  assert(account !== undefined)
  assert.equal(account, 0)
  assert.equal(directory.loginOf(account), undefined)
})
