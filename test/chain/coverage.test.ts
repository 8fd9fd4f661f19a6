import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { outcomes } from './outcomes.ts'
import { chainFolder, messageIdOf, readTranscripts } from './transcripts.ts'

const folder = chainFolder()
const skip = folder === undefined ? 'HIKYAKU_TESTDATA is not set' : false

/** Rows that no test has, and why. */
const without: Readonly<Record<string, string>> = {
  B70: 'a virus: waits for the filters',
  B71: 'a virus: waits for the filters',
  B72: 'a virus: waits for the filters',
  B73: 'a virus: waits for the filters',
  F03: 'a virus: waits for the filters',
  F21a: 'the message of F21',
  F22: 'puts a queued message aside by hand, which the quarantine does not do: it holds what was judged',
  F23: 'a tool of sendmail',
  H03: 'the queue of the backup',
  H04: 'the backup hands over: H02.1 to H02.5 are what it hands over',
  I02: 'how sendmail was set up',
  X00: 'how opendmarc reads records',
}

test('every row of the table has a test or a reason', { skip }, () => {
  const rows = [...readTranscripts(folder ?? '').keys()].filter((id) => /^([BFHIX]\d|S0[1345]$)/.test(id))
  assert.ok(rows.length > 120, `${rows.length} rows`)
  const titles = ['dialogues.ts', 'quarantine.ts', 'secondary.ts', 'trust.ts', 'primary-down.slow.test.ts']
    .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
    .flatMap((text) => [...text.matchAll(/test\('([^']*)'/g)].map(([, title = '']) => rowsOf(title)))
    .flat()
  const covered = new Set([...outcomes.map(({ row }) => row), ...titles, ...Object.keys(without)])
  assert.deepEqual(
    rows.filter((id) => !covered.has(id)),
    [],
  )
  assert.deepEqual(
    [...covered].filter((id) => !rows.includes(id)),
    [],
  )
})

test('the record is read whole: addresses, arguments, octets, signatures', { skip }, () => {
  const rows = readTranscripts(folder ?? '')
  const b01 = rows.get('B01')
  assert.deepEqual(
    [b01?.client, b01?.helo, b01?.signedBy],
    ['203.0.113.10', 'mx.bigmail.test', 'bigmail.test'],
  )
  assert.deepEqual([b01?.mail, b01?.recipients], ['<taro@bigmail.test>', ['<pokemon@jf3vqb.test>']])
  assert.match(b01?.composed ?? '', /^From: Taro [\s\S]*\n\nhello\n$/)
  assert.match(b01?.signature ?? '', /^DKIM-Signature: v=1;[\s\S]*\n$/)
  assert.equal(messageIdOf(b01?.composed ?? ''), '<1795500241114470715@bigmail.test>')
  assert.equal(rows.get('B05')?.mail, '<taro@bigmail.test> BODY=8BITMIME')
  assert.deepEqual(rows.get('B79')?.recipients, ['<POKEMON@JF3VQB.TEST>', '<postmaster>'])
  // Of a header in the files of the quarantine, and of one in a mailbox that another section shows.
  for (const id of ['B51', 'H02.2']) assert.match(rows.get(id)?.signature ?? '', /^DKIM-Signature: v=1;/, id)
  // One signature was pasted in by its composer; the other is the one that was made.
  assert.match(rows.get('B67')?.signature ?? '', /d=strict\.test/)
  for (const id of ['B38', 'B39', 'B50', 'I01', 'X02']) assert.equal(rows.get(id)?.signature, undefined, id)
})

/** `H02` alone names no row; `F10 to F15` names six. */
function rowsOf(title: string): string[] {
  const spread = title.replace(
    /\b([A-Z])(\d\d) to \1(\d\d)\b/g,
    (_, letter: string, from: string, to: string) =>
      Array.from(
        { length: Number(to) - Number(from) + 1 },
        (_each, at) => `${letter}${Number(from) + at}`,
      ).join(' '),
  )
  return spread.match(/\b[BFHISX]\d\d(?:\.\d)?\b/g)?.filter((id) => id !== 'H02') ?? []
}
