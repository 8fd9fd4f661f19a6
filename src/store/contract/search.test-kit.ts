import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ANSWERED, DELETED, SEEN } from '../../mail/flags.ts'
import type { SearchKey } from '../../mail/search.ts'
import { parseUidSet } from '../../mail/uid-set.ts'
import type { MailboxView } from '../../ports/mailboxes.ts'
import type { Access } from '../../ports/store.ts'
import { Bench, type Implementation, mail } from './bench.test-kit.ts'

const set = (text: string) => parseUidSet(text) ?? assert.fail(text)

export function searchContract(implementation: Implementation): void {
  const on = (title: string, body: (bench: Bench) => Promise<void>): void =>
    void test(`search: ${title}`, () => Bench.run(implementation, body))

  async function filled(bench: Bench): Promise<[Access, MailboxView]> {
    const anna = await bench.account('anna@example.test')
    const day = 86_400_000
    await bench.deliver(
      mail('alpha report', 'nothing\r\n', 'Date: Tue, 2 Jan 2024 10:00:00 +0900\r\n'),
      anna,
      {
        flags: ['\\Seen', 'Work'],
        receivedAtMs: 10 * day,
      },
    )
    await bench.deliver(
      mail('beta', 'the Report is here\r\n', 'Date: Wed, 3 Jan 2024 23:30:00 -0800\r\n'),
      anna,
      {
        receivedAtMs: 11 * day,
      },
    )
    await bench.deliver(mail('=?utf-8?B?5Lya6K2w?=', 'x'.repeat(5000)), anna, { receivedAtMs: 12 * day })
    await bench.deliver(
      mail('delta', '会議の資料\r\n', 'Content-Type: text/plain; charset=utf-8\r\nX-Tag:\r\n'),
      anna,
      {
        flags: ['\\Deleted'],
        receivedAtMs: 13 * day,
      },
    )
    return [anna, await bench.view(anna)]
  }

  on('each kind of key', async (bench) => {
    const [anna, view] = await filled(bench)
    const cases: readonly (readonly [SearchKey, readonly number[]])[] = [
      [{ kind: 'all' }, [1, 2, 3, 4]],
      [{ kind: 'flag', bit: SEEN, set: true }, [1]],
      [{ kind: 'flag', bit: DELETED, set: false }, [1, 2, 3]],
      [{ kind: 'keyword', keyword: 'WORK', set: true }, [1]],
      [{ kind: 'keyword', keyword: 'work', set: false }, [2, 3, 4]],
      [{ kind: 'keyword', keyword: 'never', set: false }, [1, 2, 3, 4]],
      [{ kind: 'recent', set: true }, [1, 2, 3, 4]],
      [{ kind: 'header', name: 'subject', text: 'REPORT' }, [1]],
      [{ kind: 'header', name: 'subject', text: '会議' }, [3]],
      [{ kind: 'header', name: 'x-tag', text: '' }, [4]],
      [{ kind: 'body', text: 'report' }, [2]],
      [{ kind: 'body', text: '会議' }, [4]],
      [{ kind: 'text', text: 'report' }, [1, 2]],
      [{ kind: 'size', relation: 'larger', sizeBytes: 4000 }, [3]],
      [{ kind: 'size', relation: 'smaller', sizeBytes: 4000 }, [1, 2, 4]],
      [{ kind: 'sequence', set: set('2,4:*') }, [2, 4]],
      [{ kind: 'uid', set: set('3:99') }, [3, 4]],
      [{ kind: 'uid', set: set('99:*') }, [4]],
      [{ kind: 'date', of: 'sent', relation: 'on', day: { year: 2024, month: 1, day: 3 } }, [2]],
      [{ kind: 'date', of: 'sent', relation: 'before', day: { year: 2024, month: 1, day: 3 } }, [1]],
      [{ kind: 'date', of: 'arrival', relation: 'since', day: { year: 1970, month: 1, day: 13 } }, [3, 4]],
    ]
    for (const [key, wanted] of cases)
      assert.deepEqual(
        await bench.store.mailboxes.search(anna, view, key),
        { ok: true, value: wanted },
        JSON.stringify(key),
      )
  })

  on('trees of them', async (bench) => {
    const [anna, view] = await filled(bench)
    const report: SearchKey = { kind: 'text', text: 'report' }
    const seen: SearchKey = { kind: 'flag', bit: SEEN, set: true }
    const cases: readonly (readonly [SearchKey, readonly number[]])[] = [
      [{ kind: 'not', key: report }, [3, 4]],
      [{ kind: 'or', left: seen, right: report }, [1, 2]],
      [{ kind: 'or', left: report, right: seen }, [1, 2]],
      [{ kind: 'and', keys: [report, { kind: 'not', key: seen }] }, [2]],
      [{ kind: 'and', keys: [] }, [1, 2, 3, 4]],
      [{ kind: 'not', key: { kind: 'and', keys: [report, seen] } }, [2, 3, 4]],
      [
        {
          kind: 'or',
          left: { kind: 'and', keys: [seen, { kind: 'body', text: 'no such' }] },
          right: { kind: 'size', relation: 'larger', sizeBytes: 4000 },
        },
        [3],
      ],
    ]
    for (const [key, wanted] of cases)
      assert.deepEqual(
        await bench.store.mailboxes.search(anna, view, key),
        { ok: true, value: wanted },
        JSON.stringify(key),
      )
  })

  on('a message that is expunged meanwhile is still found by who still shows it', async (bench) => {
    const [anna, view] = await filled(bench)
    const other = await bench.view(anna)
    await bench.store.mailboxes.expunge(anna, other)
    other.close()
    const found = await bench.store.mailboxes.search(anna, view, { kind: 'body', text: '会議' })
    assert.deepEqual(found, { ok: true, value: [4] })
  })

  on('many messages, with other readers in between', async (bench) => {
    const anna = await bench.account('anna@example.test')
    await bench.deliverMany(500, anna)
    const view = await bench.view(anna)
    const [found, listed] = await Promise.all([
      bench.store.mailboxes.search(anna, view, {
        kind: 'and',
        keys: [
          { kind: 'header', name: 'subject', text: 'number 49' },
          { kind: 'flag', bit: ANSWERED, set: false },
        ],
      }),
      bench.store.mailboxes.list(anna),
    ])
    assert(found.ok)
    const subjects = (await bench.rows(anna, view, found.value, { sections: [{ path: [], what: 'header' }] }))
      .length
    assert.equal(subjects, 11)
    assert.equal(listed.length, 6)
  })
}
