import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Account, startHouse } from './house.test-kit.ts'

const house = await startHouse()
after(() => house.stop())

const ISO_2022_JP_KAIGI = Buffer.from('1b2442327135441b2842', 'hex').toString('latin1')
const MAILS: readonly { readonly options: string; readonly content: Buffer }[] = [
  {
    options: '(\\Seen \\Answered $Work) "10-Jan-2020 23:30:00 +0900"',
    content: Buffer.from(
      [
        'From: Taro <taro@example.org>',
        'To: hanako@example.net',
        'Cc: jiro@example.com',
        'Subject: Budget for spring',
        'Date: Thu, 09 Jan 2020 10:00:00 +0000',
        'X-Tag: alpha beta',
        '',
        'The numbers are attached.',
        '',
      ].join('\r\n'),
    ),
  },
  {
    options: '(\\Flagged) "11-Jan-2020 00:30:00 +0900"',
    content: Buffer.from(
      [
        'From: =?UTF-8?B?5aSq6YOO?= <t2@example.org>',
        'To: hanako@example.net',
        `Subject: =?ISO-2022-JP?B?${Buffer.from(ISO_2022_JP_KAIGI, 'latin1').toString('base64')}?=`,
        'Date: Fri, 10 Jan 2020 10:00:00 +0000',
        'Content-Type: text/plain; charset=ISO-2022-JP',
        '',
        `${ISO_2022_JP_KAIGI} tomorrow`,
        '',
      ].join('\r\n'),
      'latin1',
    ),
  },
  {
    options: '(\\Deleted \\Draft) "12-Jan-2020 12:00:00 +0000"',
    content: Buffer.from(
      [
        'From: three@example.org',
        'Bcc: secret@example.net',
        'Subject: plain',
        'Date: Sat, 11 Jan 2020 10:00:00 +0000',
        'Content-Type: text/plain; charset=UTF-8',
        'Content-Transfer-Encoding: base64',
        '',
        Buffer.from(`こんにちは、世界。${'長'.repeat(400)}`).toString('base64'),
        '',
      ].join('\r\n'),
    ),
  },
]

async function filled(): Promise<Account> {
  const me = await house.account()
  const wire = await house.open('imaps')
  await wire.line()
  wire.send(`l LOGIN ${me.login} ${me.password}\r\n`)
  await wire.line()
  for (const { options, content } of MAILS) {
    wire.send(`a APPEND INBOX ${options} {${content.length}+}\r\n`)
    wire.send(content)
    wire.send('\r\n')
    assert.match(await wire.line(), /^a OK/)
  }
  wire.socket.destroy()
  return me
}

test('every search key of rfc3501 §6.4.4', async () => {
  const me = await filled()
  const wire = await house.open('imaps')
  await wire.line()
  wire.send(`l LOGIN ${me.login} ${me.password}\r\ns SELECT INBOX\r\n`)
  while (!(await wire.line()).startsWith('s OK'));
  const search = async (key: string): Promise<string> => {
    wire.send(`q SEARCH ${key}\r\n`)
    let line = await wire.line()
    if (line.startsWith('+')) line = await wire.line()
    if (!line.startsWith('* SEARCH')) return line
    assert.match(await wire.line(), /^q OK/)
    return line.slice('* SEARCH'.length).trim()
  }
  const expected: Readonly<Record<string, string>> = {
    ALL: '1 2 3',
    '2:3': '2 3',
    '*': '3',
    'UID 1,3': '1 3',
    ANSWERED: '1',
    UNANSWERED: '2 3',
    DELETED: '3',
    UNDELETED: '1 2',
    DRAFT: '3',
    UNDRAFT: '1 2',
    FLAGGED: '2',
    UNFLAGGED: '1 3',
    SEEN: '1',
    UNSEEN: '2 3',
    NEW: '2 3',
    OLD: '',
    RECENT: '1 2 3',
    'KEYWORD $Work': '1',
    'KEYWORD $work': '1',
    'KEYWORD $Other': '',
    'UNKEYWORD $Work': '2 3',
    'SUBJECT spring': '1',
    'SUBJECT SPRING': '1',
    'FROM taro': '1',
    'FROM example.org': '1 2 3',
    'TO hanako': '1 2',
    'CC jiro': '1',
    'BCC secret': '3',
    'HEADER X-Tag beta': '1',
    'HEADER X-Tag ""': '1',
    'HEADER X-Other ""': '',
    'BODY numbers': '1',
    'BODY budget': '',
    'TEXT budget': '1',
    'LARGER 1000': '3',
    'SMALLER 1000': '1 2',
    'BEFORE 11-Jan-2020': '1',
    'ON 11-Jan-2020': '2',
    'SINCE 11-Jan-2020': '2 3',
    'SENTBEFORE 10-Jan-2020': '1',
    'SENTON 10-Jan-2020': '2',
    'SENTSINCE "10-Jan-2020"': '2 3',
    'NOT SEEN': '2 3',
    'OR SEEN FLAGGED': '1 2',
    'OR (SEEN ANSWERED) NOT 1:2': '1 3',
    'SEEN FLAGGED': '',
    '(OR FLAGGED (DELETED DRAFT)) UNSEEN': '2 3',
    'CHARSET US-ASCII SUBJECT spring': '1',
    'CHARSET UTF-8 SUBJECT "会議"': '2',
    'CHARSET UTF-8 BODY "会議"': '2',
    'CHARSET utf-8 TEXT "会議 tomorrow"': '2',
    'CHARSET UTF-8 FROM "太郎"': '2',
    'CHARSET UTF-8 BODY {9+}\r\n世界。': '3',
    'CHARSET UTF-8 BODY "こんにちは"': '3',
    'CHARSET UTF-8 NOT BODY "こんにちは"': '1 2',
  }
  const got: Record<string, string> = {}
  for (const key of Object.keys(expected)) got[key] = await search(key)
  assert.deepEqual(got, expected)
  assert.match(await search('CHARSET X-NO SUBJECT x'), /^q NO \[BADCHARSET \(.*UTF-8.*\)\]/)
  for (const wrong of ['', 'NOSUCH', 'SUBJECT', 'ON 99-Jan-2020', 'OR SEEN', '(SEEN', 'LARGER x', '9:10'])
    assert.match(await search(wrong), wrong === '9:10' ? /^q (BAD|OK)|^$/ : /^q BAD/, wrong)
  wire.send('u UID SEARCH 2:3 UNSEEN\r\n')
  assert.equal(await wire.line(), '* SEARCH 2 3')
  assert.match(await wire.line(), /^u OK/)
  const iso = Buffer.concat([
    Buffer.from('v SEARCH CHARSET ISO-2022-JP SUBJECT {10+}\r\n'),
    Buffer.from(ISO_2022_JP_KAIGI, 'latin1'),
    Buffer.from('\r\n'),
  ])
  wire.send(iso)
  assert.match(await wire.line(), /^\* SEARCH 2|^v NO \[BADCHARSET/)
  wire.socket.destroy()
})

test('SEARCH numbers follow the view: UIDs are told by UID SEARCH after an EXPUNGE', async () => {
  const me = await filled()
  await house.imap(
    me,
    `
    C: a1 SELECT INBOX
    S> a1 OK <*>
    C: a2 STORE 1 +FLAGS.SILENT (\\Deleted)
    S: a2 OK <*>
    C: a3 UID EXPUNGE 1
    S: * 1 EXPUNGE
    S: a3 OK <*>
    C: a4 SEARCH ALL
    S: * SEARCH 1 2
    S: a4 OK <*>
    C: a5 UID SEARCH ALL
    S: * SEARCH 2 3
    S: a5 OK <*>
    C: a6 UID SEARCH NOT 1
    S: * SEARCH 3
    S: a6 OK <*>
    C: a7 SEARCH TEXT "nothing like it"
    S: * SEARCH
    S: a7 OK <*>
  `,
  )
})
