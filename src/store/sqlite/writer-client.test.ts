import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { quietWriter } from './open.test-kit.ts'
import { packReport, unpack } from './packing.ts'
import type { StoreThread, ToWriter } from './threads.ts'
import { WriterClient } from './writer-client.ts'

/** A client whose thread answers when it is told to. */
function rig() {
  const packets: number[][] = []
  const outside = new EventEmitter()
  const postMessage = (message: ToWriter): void => {
    if (message.kind === 'calls') packets.push(unpack(message.packet).map(({ id }) => id))
    if (message.kind === 'close') outside.emit('exit', 0)
  }
  const thread = Object.assign(outside, { postMessage }) as unknown as StoreThread
  const client = new WriterClient(() => thread, { database: '', bodies: '' }, quietWriter)
  void client.ready()
  const report = (...ids: readonly number[]): void => {
    const text = packReport({ results: ids.map((id) => [id, 1, null]), events: [] })
    outside.emit('message', { kind: 'report', text })
  }
  const call = () => client.call({ op: 'remove-alias', alias: 'a@example.test' })
  return { call, client, packets, report }
}

test('a lone call goes at once; fewer than the writer has wait for its report', async () => {
  const { call, client, packets, report } = rig()
  const first = call()
  await turn()
  assert.deepEqual(packets, [[1]])
  const second = call()
  await turn()
  assert.deepEqual(packets, [[1], [2]], 'as many as it has')
  const third = call()
  await turn()
  await turn()
  assert.equal(packets.length, 2, 'one of three')
  report(1)
  await turn()
  assert.deepEqual(packets, [[1], [2], [3]])
  const more = [call(), call()]
  await turn()
  assert.deepEqual(packets.at(-1), [4, 5])
  report(2, 3, 4, 5)
  await Promise.all([first, second, third, ...more])
  await client.close()
})

test('what waits is handed over when the store is closed', async () => {
  const { call, client, packets } = rig()
  const open = [call(), call()]
  await turn()
  open.push(call())
  await turn()
  assert.deepEqual(packets, [[1, 2]])
  const closed = client.close()
  assert.deepEqual(packets, [[1, 2], [3]])
  await closed
  for (const one of await Promise.all(open)) assert(!one.ok)
})

test('attack: long traces that wait for a slow disk are bounded in octets, not only in number', async () => {
  const { client, packets } = rig()
  const trace = { id: 'x', atMs: 0, events: 'x'.repeat(1024 * 1024), senders: '', recipients: '' }
  for (let i = 0; i < 100; i++) client.postIfRoom({ op: 'trace', trace })
  await client.close()
  assert.equal(packets.flat().length, 65, 'more than 64 MiB waited')
})
