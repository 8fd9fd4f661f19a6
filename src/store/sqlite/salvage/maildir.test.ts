import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { accountFolder, flagLetters, keywordsFile, maildirFolder, messageFile } from './maildir.ts'
import { momentText } from './moment.ts'

test('mailboxes become folders of a Maildir++', () => {
  for (const [name, folder] of [
    ['INBOX', ''],
    ['inbox', ''],
    ['Sent', '.Sent'],
    ['INBOX/below', '.INBOX.below'],
    ['Archive/2025/May', '.Archive.2025.May'],
    ['v1.2', '.v1_2'],
    ['飛脚', '.&mNuBGg-'],
    ['a & b', '.a &- b'],
  ] as const)
    assert.equal(maildirFolder(name), folder)
})

test('no name of a mailbox or an account, damaged as it may be, leaves its folder', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (name) => {
      for (const folder of [maildirFolder(name), accountFolder(name)]) {
        assert(
          !/[/\0]/.test(folder) && !['.', '..'].includes(folder) && Buffer.byteLength(folder) <= 200,
          folder,
        )
      }
      assert.notEqual(accountFolder(name), '')
    }),
  )
  for (const name of ['../../etc', '..', '.', '/', 'a/../b', 'a//b', '\0', 'x'.repeat(500)])
    assert(maildirFolder(name).startsWith('.') && !maildirFolder(name).includes('/'), name)
  assert.equal(accountFolder('../x@y'), '_._x@y')
})

test('flags become letters in the order of the alphabet, keywords small ones', () => {
  assert.equal(flagLetters(0), '')
  assert.equal(flagLetters(1 + 2 + 4 + 8 + 16), 'DFRST')
  assert.equal(flagLetters(1 + 32 + 128), 'Sac')
  assert.equal(flagLetters(2 ** (5 + 25) + 2 ** (5 + 26)), 'z', 'beyond 26 only messages.tsv has them')
  assert.equal(keywordsFile(['$Junk', 'Later']), '0 $Junk\n1 Later\n')
  assert.equal(
    messageFile({ arrivedMs: 1_700_000_000_999, key: 'u5m9', sizeBytes: 12, flags: 1 }),
    '1700000000.u5m9.hikyaku,S=12:2,S',
  )
})

test('moments are told with their zone, and what is none is left out', () => {
  assert.equal(momentText(0, 0), '1970-01-01T00:00:00+00:00')
  assert.equal(momentText(1_700_000_000_000, -330), '2023-11-14T16:43:20-05:30')
  assert.equal(momentText(Number.MAX_SAFE_INTEGER), '')
})
