import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AccountRead, compareAll } from './compare.ts'
import { Deliveries, refusing } from './deliveries.ts'
import { accountNames, Post } from './post.ts'

const recipient = `letter-r@${refusing}`

function read(what: {
  readonly first?: string
  readonly reported?: string
  readonly held?: readonly string[]
}) {
  const accounts = new Map(accountNames.map((name) => [name, new AccountRead(name)]))
  if (what.reported !== undefined) accounts.get('bert')?.reports.push(what.reported)
  const waitingFirst = new Set(what.first === undefined ? [] : [what.first])
  return { names: new Map(), accounts, held: what.held ?? [], waitingFirst, waitingAfter: new Set<string>() }
}

test('mail that was not answered may leave the queue while the rest is read, and is reported later', () => {
  const post = new Post(new Deliveries(), 't')
  post.sent('letter', { accounts: [], elsewhere: [recipient] }, 'bert')
  assert.deepEqual(compareAll(post, read({ first: recipient })), [])
  assert.deepEqual(compareAll(post, read({ reported: recipient })), [])
})

test('mail that was neither answered nor there must not turn up later', () => {
  const post = new Post(new Deliveries(), 't')
  post.sent('letter', { accounts: [], elsewhere: [recipient] }, 'bert')
  assert.deepEqual(compareAll(post, read({})), [])
  assert.deepEqual(compareAll(post, read({ reported: recipient })), [
    `${recipient}: was never sent or was refused`,
  ])
})

test('a held letter stays, is released once or is deleted', () => {
  const post = new Post(new Deliveries(), 't')
  const told = (what: Parameters<typeof read>[0], inbox: readonly string[] = []): readonly string[] => {
    const all = read(what)
    all.accounts.get('anna')?.mailboxes.set(
      'INBOX',
      inbox.map((id) => ({ id, flags: '' })),
    )
    for (const name of accountNames.slice(1)) all.accounts.get(name)?.mailboxes.set('INBOX', [])
    return compareAll(post, all)
  }
  post.sentHeld('a', 'anna')
  assert.deepEqual(told({}), [], 'never answered: it need not be there')
  post.sentHeld('b', 'anna')
  post.answeredHeld('b', '250 yes')
  assert.deepEqual(told({}), ['quarantine: b is missing'])
  post.sentHeld('c', 'anna')
  post.answeredHeld('c', '250 yes')
  assert.deepEqual(told({ held: ['c', 'c'] }), ['quarantine: c was never sent there or is there twice'])
  post.beginHeld('c', 'release')
  assert.deepEqual(told({ held: ['c'] }, ['c']), ['quarantine: c is released and still held'])
  post.beginHeld('c', 'release')
  post.doneHeld('c', 'release')
  assert.deepEqual(told({ held: ['c'] }, ['c', 'c']), ['quarantine: c is there again'])
  for (const id of ['d', 'e', 'f']) {
    post.sentHeld(id, 'anna')
    post.answeredHeld(id, '250 yes')
  }
  post.beginHeld('d', 'release')
  post.beginHeld('e', 'delete')
  assert.deepEqual(told({ held: ['c', 'f'] }, ['c', 'c']), ['quarantine: d is neither held nor released'])
  assert.deepEqual(told({ held: ['c', 'e', 'f'] }, ['c', 'c']), ['quarantine: e is there again'])
})
