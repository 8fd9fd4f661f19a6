import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resolution } from '../../ports/directory.ts'
import { addr, Bench, type Implementation, mail } from './bench.test-kit.ts'

/** Accounts, aliases, credentials, and the directory that they make. */
export function accountsContract(implementation: Implementation): void {
  const on = (title: string, body: (bench: Bench) => Promise<void>): void =>
    void test(`accounts: ${title}`, () => Bench.run(implementation, body))
  const resolve = (bench: Bench, text: string): Resolution => bench.store.directory.resolve(addr(text))
  const logins = (resolution: Resolution): readonly string[] =>
    resolution.kind === 'local' ? resolution.accounts.map(({ login }) => login) : [resolution.kind]

  on('an account is there at once, under one login, and gone with its mail', async (bench) => {
    const { accounts } = bench.store
    const changes: (string | undefined)[] = []
    const stop = accounts.onChange(({ login }) => changes.push(login))
    const made = await accounts.addAccount({ login: 'Anna@Example.TEST', quotaBytes: 5000 })
    assert(made.ok)
    assert.equal(made.value.login, 'anna@example.test')
    const twice = await accounts.addAccount({ login: 'ANNA@example.test' })
    assert(!twice.ok && twice.error.kind === 'exists')
    const bad = await accounts.addAccount({ login: 'no address' })
    assert(!bad.ok && bad.error.kind === 'bad-target')
    assert.deepEqual(
      (await accounts.listAccounts()).map(({ login, quotaBytes }) => [login, quotaBytes]),
      [['anna@example.test', 5000]],
    )
    assert((await accounts.setQuota('anna@example.test', undefined)).ok)
    assert.equal((await accounts.findAccount('Anna@example.test'))?.quotaBytes, undefined)
    assert((await accounts.removeAccount('anna@example.test')).ok)
    const gone = await accounts.removeAccount('anna@example.test')
    assert(!gone.ok && gone.error.kind === 'no-such-account')
    stop()
    const again = await accounts.addAccount({ login: 'anna@example.test' })
    assert(again.ok && again.value.id !== made.value.id, 'ids are never used again')
    assert.deepEqual(changes, ['anna@example.test', 'anna@example.test', 'anna@example.test'])
    assert.equal(again.value.usedBytes, 0)
  })

  on('use is counted to the octet', async (bench) => {
    const anna = await bench.account('anna@example.test')
    const used = async () => (await bench.store.accounts.findAccount('anna@example.test'))?.usedBytes
    const text = mail('x')
    await bench.deliver(text, anna)
    await bench.deliver(text, anna)
    const view = await bench.view(anna)
    await bench.store.mailboxes.copy(anna, view, [1], 'Archive')
    assert.equal(await used(), text.length * 3)
    await bench.store.mailboxes.storeFlags(anna, view, {
      uids: [1],
      action: 'add',
      flags: ['\\Deleted'],
      silent: false,
    })
    await bench.store.mailboxes.expunge(anna, view)
    assert.equal(await used(), text.length * 2)
    await bench.store.mailboxes.delete(anna, 'Archive')
    assert.equal(await used(), text.length)
    await bench.reopen()
    assert.equal(await used(), text.length)
  })

  on('credentials by name, replaced, kept over a restart, with their SCRAM keys', async (bench) => {
    await bench.account('anna@example.test')
    const key = (n: number): Uint8Array => new Uint8Array(32).fill(n)
    const phc = (octet: string): string =>
      `$argon2id$v=19$m=19456,t=2,p=1$${octet.repeat(22)}$${octet.repeat(43)}`
    const scram = [
      { hash: 'SHA-256', salt: key(1), iterations: 4096, storedKey: key(2), serverKey: key(3) },
    ] as const
    const { accounts } = bench.store
    assert(
      (await accounts.setCredential('anna@example.test', { name: 'phone', argon2id: phc('a'), scram })).ok,
    )
    await accounts.setCredential('anna@example.test', { name: '', argon2id: phc('b') })
    await accounts.setCredential('anna@example.test', { name: '', argon2id: phc('c') })
    await bench.reopen()
    const kept = await bench.store.accounts.credentials('anna@example.test')
    assert.deepEqual(
      new Map(kept.map(({ name, argon2id }) => [name, argon2id])),
      new Map([
        ['phone', phc('a')],
        ['', phc('c')],
      ]),
    )
    assert.deepEqual(kept.find(({ name }) => name === 'phone')?.scram, scram)
    assert.deepEqual(await bench.store.accounts.credentials('nobody@example.test'), [])
    const nobody = await bench.store.accounts.setCredential('nobody@example.test', {
      name: '',
      argon2id: '$',
    })
    assert(!nobody.ok && nobody.error.kind === 'no-such-account')
  })

  on('known addresses are remembered', async (bench) => {
    const { owner } = await bench.account('anna@example.test')
    bench.store.accounts.noteGoodAddress(owner, '192.0.2.1', 5)
    assert(bench.store.accounts.isGoodAddress(owner, '192.0.2.1'))
    assert(!bench.store.accounts.isGoodAddress(owner, '192.0.2.2'))
    await bench.reopen()
    assert(bench.store.accounts.isGoodAddress(owner, '192.0.2.1'))
  })

  on('the directory: accounts, details, aliases, catch-all, postmaster', async (bench) => {
    await bench.account('anna@example.test')
    await bench.account('ben@example.test')
    const { accounts } = bench.store
    await accounts.setAlias('Sales@example.test', [
      'anna@example.test',
      'ben+shop@example.test',
      'x@far.test',
    ])
    await accounts.setAlias('all@second.test', ['sales@example.test'])
    await accounts.setAlias('@second.test', ['ben@example.test'])
    assert.deepEqual(logins(resolve(bench, 'ANNA@example.test')), ['anna@example.test'])
    const detail = resolve(bench, 'anna+news+x@example.test')
    assert(detail.kind === 'local' && detail.via === 'account')
    assert.equal(detail.accounts[0]?.detail, 'news+x')
    assert.deepEqual(logins(resolve(bench, 'nobody@example.test')), ['no-such-user'])
    assert.deepEqual(logins(resolve(bench, 'anna@far.test')), ['not-ours'])
    const sales = resolve(bench, 'sales+x@example.test')
    assert(sales.kind === 'local' && sales.via === 'alias')
    assert.deepEqual(logins(sales), ['anna@example.test', 'ben@example.test'])
    assert.deepEqual(sales.remote, [addr('x@far.test')])
    assert.deepEqual(logins(resolve(bench, 'all@second.test')), ['anna@example.test', 'ben@example.test'])
    const any = resolve(bench, 'anything@second.test')
    assert(any.kind === 'local' && any.via === 'catch-all')
    assert.deepEqual(logins(resolve(bench, 'Postmaster@example.test')), ['anna@example.test'])
    assert.deepEqual(logins(resolve(bench, 'postmaster@second.test')), ['anna@example.test'])
    assert((await accounts.removeAlias('sales@example.test')).ok)
    assert.deepEqual(logins(resolve(bench, 'sales@example.test')), ['no-such-user'])
    await bench.reopen()
    assert.deepEqual(
      (await bench.store.accounts.listAliases()).map(({ alias }) => alias),
      ['@second.test', 'all@second.test'],
    )
  })

  on('aliases that lead in a circle are our own mistake and said to be', async (bench) => {
    const { accounts } = bench.store
    await bench.account('anna@example.test')
    await accounts.setAlias('a@example.test', ['b@example.test'])
    await accounts.setAlias('b@example.test', ['anna@example.test', 'c@example.test'])
    await accounts.setAlias('c@example.test', ['a@example.test'])
    const loop = resolve(bench, 'a@example.test')
    assert(loop.kind === 'alias-loop')
    assert.deepEqual(loop.through, ['a@example.test', 'b@example.test', 'c@example.test', 'a@example.test'])
    await accounts.setAlias('c@example.test', ['anna@example.test'])
    assert.deepEqual(
      logins(resolve(bench, 'a@example.test')),
      ['anna@example.test'],
      'a diamond is no circle',
    )
  })

  on('aliases are checked when they are made', async (bench) => {
    const { accounts } = bench.store
    await bench.account('anna@example.test')
    const bad = await accounts.setAlias('x@example.test', ['not an address'])
    assert(!bad.ok && bad.error.kind === 'bad-target')
    const none = await accounts.setAlias('x@example.test', [])
    assert(!none.ok && none.error.kind === 'bad-target')
    const taken = await accounts.setAlias('anna@example.test', ['x@far.test'])
    assert(!taken.ok && taken.error.kind === 'exists')
    const missing = await accounts.removeAlias('x@example.test')
    assert(!missing.ok && missing.error.kind === 'no-such-alias')
    await accounts.setAlias('x@example.test', ['y@far.test'])
    const late = await accounts.addAccount({ login: 'x@example.test' })
    assert(!late.ok && late.error.kind === 'exists')
  })

  on('who may write as whom; who has room', async (bench) => {
    const text = mail('x')
    const anna = await bench.account('anna@example.test', text.length)
    const ben = await bench.account('ben@example.test')
    await bench.store.accounts.setAlias('both@example.test', ['anna@example.test', 'ben@example.test'])
    const may = (owner: typeof anna, address: string): boolean =>
      bench.store.directory.mayUse(owner.owner, addr(address))
    assert(
      may(anna, 'anna@example.test') && may(anna, 'anna+x@example.test') && may(anna, 'both@example.test'),
    )
    assert(!may(anna, 'ben@example.test') && !may(ben, 'anna+x@example.test') && !may(ben, 'ben@far.test'))
    assert.equal(bench.store.directory.loginOf(ben.owner), 'ben@example.test')
    const room = (): boolean | undefined => {
      const found = resolve(bench, 'anna@example.test')
      return found.kind === 'local' ? found.accounts[0]?.overQuota : undefined
    }
    assert.equal(room(), false)
    await bench.deliver(text, anna)
    assert.equal(room(), true)
  })
}
