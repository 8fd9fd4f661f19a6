import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AccountRead, compareAll } from './compare.ts'
import { Deliveries, refusing } from './deliveries.ts'
import { accountNames, Post } from './post.ts'

const recipient = `letter-r@${refusing}`

function read(what: { readonly first?: string; readonly reported?: string }) {
  const accounts = new Map(accountNames.map((name) => [name, new AccountRead(name)]))
  if (what.reported !== undefined) accounts.get('bert')?.reports.push(what.reported)
  const waitingFirst = new Set(what.first === undefined ? [] : [what.first])
  return { names: new Map(), accounts, waitingFirst, waitingAfter: new Set<string>() }
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
