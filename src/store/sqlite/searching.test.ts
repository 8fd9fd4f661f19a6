import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MailboxId } from '../../mail/ids.ts'
import { SEARCH_ROWS } from '../limits.ts'
import { Columns } from '../views/columns.ts'
import { ViewHub } from '../views/hub.ts'
import type { View } from '../views/view.ts'
import { DamageNews } from './damage-news.ts'
import type { Answers, Question } from './questions.ts'
import { searchView } from './searching.ts'

async function viewOf(count: number): Promise<View> {
  const numbers = Float64Array.from({ length: count }, (_, i) => i + 1)
  const hub = new ViewHub({
    load: async () => ({
      name: 'INBOX',
      uidValidity: 1,
      uidNext: count + 1,
      highestModseq: 1,
      keywords: [],
      columns: new Columns({
        uids: Uint32Array.from(numbers),
        messages: numbers,
        flags: new Float64Array(count),
        modseqs: numbers.slice(),
      }),
    }),
    release: () => undefined,
    nowMs: () => 0,
    later: () => undefined,
  })
  const id = 1 as MailboxId
  const names = { name: 'INBOX', subscribed: true, selectable: true, hasChildren: false, mailboxId: 'F1' }
  return (await hub.open(1, { id, ...names }, { readOnly: false })) ?? assert.fail('no view')
}

test('a SEARCH whose client has gone reads no further', async () => {
  const view = await viewOf(10 * SEARCH_ROWS)
  let asked = 0
  const reader = {
    async ask<Q extends Question>(question: Q): Promise<Answers[Q['ask']]> {
      asked++
      assert(question.ask === 'scan')
      if (asked === 3) view.close()
      return { hits: [0], damaged: [], done: question.messages.length } as unknown as Answers[Q['ask']]
    },
  }
  const news = new DamageNews(
    () => undefined,
    () => 0,
  )
  await searchView({ reader, news }, view, { kind: 'text', text: 'x' })
  assert.equal(asked, 3)
})
