import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkImports } from './imports.ts'
import { rooms } from './rooms.ts'
import { said } from './testing.ts'

const clean = {
  'src/bytes/ascii.ts': 'export function lower(octet: number): number { return octet | 0x20 }\n',
  'src/mail/domain.ts':
    "import { lower } from '../bytes/ascii.ts'\nimport { domainToASCII } from 'node:url'\n",
  'src/ports/clock.ts': 'export interface Clock {\n  now(): number\n  sleep(ms: number): Promise<void>\n}\n',
  'src/protocol/imap/fetch.ts': [
    "import type { Domain } from '../../mail/domain.ts'",
    'export function fetch(process: string) { return { async: fetch, at: new Date(5) } }',
    '// setTimeout and import("node:net") stand in a comment',
    "const text = 'await Promise'",
  ].join('\n'),
}

function refused(name: string, files: Record<string, string>, ...expected: RegExp[]): void {
  test(name, (t) => {
    const lines = said(t, checkImports, { ...clean, ...files })
    assert.equal(lines.length, expected.length, lines.join('\n'))
    for (const [index, pattern] of expected.entries()) assert.match(lines[index] ?? '', pattern)
  })
}

refused('a tree that keeps the table is accepted', {})

refused(
  'an import against the table',
  { 'src/mail/wrong.ts': "import {\n  type Clock,\n} from '../ports/clock.ts'\n" },
  /^src\/mail\/wrong\.ts:1: mail may not import ports \(/,
)
refused(
  'a type-only import against the table',
  { 'src/mail/wrong.ts': "\nimport type { Clock } from '../ports/clock.ts'\n" },
  /wrong\.ts:2: mail may not import ports/,
)
refused(
  'a type named by import() against the table',
  { 'src/mail/wrong.ts': "export type A = import('../ports/clock.ts').Clock\n" },
  /dynamic import/,
)
refused(
  'node:net in a protocol core',
  { 'src/protocol/smtp/server.ts': "import net from 'node:net'\n" },
  /server\.ts:1: protocol may not use node:net/,
)
refused(
  'node:crypto outside protocol/sasl',
  {
    'src/protocol/sasl/scram.ts': "import { createHmac } from 'node:crypto'\n",
    'src/protocol/smtp/server.ts': "import { createHmac } from 'node:crypto'\n",
  },
  /smtp\/server\.ts:1: protocol may not use node:crypto/,
)
refused(
  'a module of Node without its prefix',
  { 'src/protocol/smtp/server.ts': "import net from 'net'\n" },
  /may not use the package net/,
)
refused(
  'a package in a room that has none',
  { 'src/mail/x.ts': "import x from '@example/package/build'\n" },
  /may not use the package @example\/package/,
)
refused(
  'a cycle of two files',
  {
    'src/mail/a.ts': "import { b } from './b.ts'\n",
    'src/mail/b.ts': "import { a } from './a.ts'\n",
  },
  /import cycle: src\/mail\/a\.ts → src\/mail\/b\.ts → src\/mail\/a\.ts/,
)
refused(
  'a cycle of three files by types only',
  {
    'src/mail/a.ts': "import type { B } from './b.ts'\n",
    'src/mail/b.ts': "import { type C } from './c.ts'\n",
    'src/mail/c.ts': "import type { A } from './a.ts'\n",
  },
  /import cycle: src\/mail\/a\.ts → src\/mail\/b\.ts → src\/mail\/c\.ts → src\/mail\/a\.ts/,
)
refused(
  'a file that imports itself',
  { 'src/mail/a.ts': "import type { A } from './a.ts'\n" },
  /import cycle/,
)
refused(
  'a dynamic import, a computed one and a require',
  {
    'src/protocol/smtp/a.ts': "const net = import('node:net')\n",
    'src/app/b.ts': 'const net = await import(name)\n',
    'src/app/c.ts': "const net = require('node:net')\n",
    'src/app/d.ts': "const net = await import('node:net')\n",
  },
  /b\.ts:1: an import names its file by a plain string/,
  /c\.ts:1: require is not used/,
  /smtp\/a\.ts:1: dynamic import of node:net/,
)
refused(
  'a worker of another room',
  {
    'src/store/a.ts': "new Worker(new URL('../platform/worker.ts', import.meta.url))\n",
    'src/platform/worker.ts': '',
  },
  /store may not import platform/,
)
refused(
  'a re-export, a barrel, a missing ending, a missing file and a way out of src',
  {
    'src/mail/a.ts': "export { lower } from '../bytes/ascii.ts'\nexport * from './domain.ts'\n",
    'src/mail/b.ts': "import '../bytes/ascii'\nimport './none.ts'\nimport '../../tools/check.ts'\n",
    'src/mail/index.ts': 'export const a = 1\n',
  },
  /a\.ts:1: no barrels/,
  /a\.ts:2: no barrels/,
  /b\.ts:1: .*carries its ending/,
  /b\.ts:2: .*does not exist/,
  /b\.ts:3: .*leads out of src/,
  /index\.ts: no barrels/,
)
refused(
  'a folder that is no room, and a file that is in none',
  { 'src/utils/a.ts': 'export const a = 1\n', 'src/main.ts': 'export const b = 1\n' },
  /src\/main\.ts: .* is no room/,
  /src\/utils is no room/,
)
refused(
  'time, timers, promises and the process in a core',
  {
    'src/protocol/smtp/a.ts': [
      'export async function a() {',
      '  await b()',
      '  setTimeout(c, Date.now())',
      '  return [new Date(), process.env, Promise.resolve()]',
      '}',
    ].join('\n'),
  },
  /a\.ts:1: async is not used/,
  /a\.ts:2: await is not used/,
  /a\.ts:3: setTimeout is not used/,
  /a\.ts:3: Date is not used/,
  /a\.ts:4: Date is not used/,
  /a\.ts:4: process is not used/,
  /a\.ts:4: Promise is not used/,
)
refused(
  'a room behind ports may wait but owns no clock',
  { 'src/session/a.ts': 'export async function a() {\n  await b(Date.now())\n}\n' },
  /a\.ts:2: Date is not used/,
)
refused(
  'runtime code among the ports',
  {
    'src/ports/a.ts': [
      "import { lower } from '../mail/domain.ts'",
      "import type { Domain } from '../mail/domain.ts'",
      "export type Kind = 'a' | { readonly const: () => void }",
      'export const limit = 5',
      'export class Store {}',
    ].join('\n'),
  },
  /a\.ts:1: import: only interfaces/,
  /a\.ts:4: export/,
  /a\.ts:4: const/,
  /a\.ts:5: export/,
  /a\.ts:5: class/,
)
refused('a test may use more of Node and foreign clients, but no other room', {
  'src/mail/a.test.ts':
    "import { test } from 'node:test'\nimport fs from 'node:fs'\nimport fc from 'fast-check'\n",
})
refused(
  'a test that reaches into app, and a file that imports a test',
  {
    'src/app/wire.ts': '',
    'src/mail/a.test.ts': "import '../app/wire.ts'\n",
    'src/mail/b.ts': "import './a.test.ts'\n",
  },
  /mail may not import app/,
  /b\.ts:1: .*nothing imports a test/,
)
refused(
  'what only tests may import, imported by the product',
  {
    'src/mail/testing.ts': "import fs from 'node:fs'\nimport { test } from 'node:test'\n",
    'src/mail/a.test.ts': "import './testing.ts'\n",
    'src/mail/b.ts': "import './testing.ts'\n",
  },
  /b\.ts:1: .*for tests only/,
)
refused(
  'a room that ARCHITECTURE.md does not name',
  { 'ARCHITECTURE.md': 'The rooms: `bytes`, `mail`, src/ports.\n' },
  /ARCHITECTURE\.md: does not name the room src\/protocol/,
)

test('the table itself has no cycle, names only rooms and lets nothing import app', () => {
  const visit = (room: string, way: readonly string[]): void => {
    assert.ok(!way.includes(room), [...way, room].join(' → '))
    for (const goal of rooms[room]?.imports ?? assert.fail(room)) visit(goal, [...way, room])
  }
  for (const room of Object.keys(rooms)) visit(room, [])
  for (const { imports } of Object.values(rooms)) assert.ok(!imports.includes('app'))
})
