import assert from 'node:assert/strict'
import type { Wire, WireTo } from './wire.test-kit.ts'

/*
 * Dialogues over real connections, as text:
 *
 *     C: a1 NOOP            a line of the client; CRLF is added
 *     C- {5}\r\n            without; \r \n \0 \\ are escapes
 *     S: a1 OK <*>          the next line of the server. <*> is any text, <#> a number, <#uid> a number to be
 *                           kept: <uid> stands for it afterwards, on both sides. <SP> is a space at a line's end.
 *     S> 250 <*>            the same, but lines that do not fit are passed over
 *     --- tls               the client starts TLS
 *     --- close             the server closes
 *     --- forget            what is unread is forgotten
 *     --- wait MS           for what must come by itself
 *
 * With several connections each line begins with the name of one: `A: C: a1 NOOP`. Before a line of the client
 * nothing may be unread. Lines that begin with anything else are remarks.
 */

export type Connections = Readonly<Record<string, WireTo>>

const LINE = /^(?:([ABDEF]): )?(C:|C-|S:|S>|---)(?: (.*))?$/
const ONE = ''

export async function playDialogue(
  open: (to: WireTo) => Promise<Wire>,
  connections: WireTo | Connections,
  text: string,
  given: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<string, string>> {
  const named: Connections = isOne(connections) ? { [ONE]: connections } : connections
  const wires = new Map<string, Wire>()
  const values = new Map(Object.entries(given))
  const said: string[] = []
  try {
    for (const [name, to] of Object.entries(named)) wires.set(name, await open(to))
    for (const raw of text.split('\n')) {
      const match = LINE.exec(raw.trim())
      if (match === null) continue
      const [, name = ONE, kind = '', rest = ''] = match
      const wire = wires.get(name)
      assert.ok(wire, `no connection ${name} for: ${raw}`)
      said.push(raw.trim())
      await playLine(wire, kind, rest, values)
    }
    return values
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    throw new Error(`${said.slice(-6).join('\n')}\n${cause}`)
  } finally {
    for (const wire of wires.values()) wire.socket.destroy()
  }
}

function isOne(connections: WireTo | Connections): connections is WireTo {
  return typeof connections === 'string' || typeof connections.port === 'string'
}

async function playLine(wire: Wire, kind: string, rest: string, values: Map<string, string>): Promise<void> {
  switch (kind) {
    case 'C:':
    case 'C-':
      assert.equal(wire.pending, '', 'unread before the client speaks')
      wire.send(kind === 'C:' ? `${filled(rest, values)}\r\n` : unescaped(filled(rest, values)))
      return
    case 'S:': {
      const line = await wire.line()
      assert.ok(fits(line, rest, values), `the server said: ${line}`)
      return
    }
    case 'S>':
      for (const passed: string[] = []; ; ) {
        const line = await wire.line().catch((error: Error) => {
          throw new Error(`${error.message}; passed over: ${passed.join(' | ')}`)
        })
        if (fits(line, rest, values)) return
        passed.push(line)
      }
    default:
      return playEvent(wire, rest)
  }
}

async function playEvent(wire: Wire, event: string): Promise<void> {
  const [what, argument] = event.split(' ')
  if (what === 'tls') await wire.startTls()
  else if (what === 'close') {
    await wire.ended()
    assert.equal(wire.pending, '', 'unread at the end')
  } else if (what === 'forget') await wire.octets(Buffer.byteLength(wire.pending))
  else if (what === 'wait') await new Promise((resolve) => setTimeout(resolve, Number(argument)))
  else assert.fail(`unknown event ${event}`)
}

function filled(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/<([a-zA-Z][\w-]*)>/g, (whole, name: string) =>
    name === 'SP' ? ' ' : (values.get(name) ?? whole),
  )
}

function fits(line: string, pattern: string, values: Map<string, string>): boolean {
  const names: string[] = []
  const source = filled(pattern, values)
    .split(/(<\*>|<#\w*>)/)
    .map((piece, index) => {
      if (index % 2 === 0) return piece.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
      if (piece === '<*>') return '.*'
      names.push(piece.slice(2, -1))
      return '(\\d+)'
    })
    .join('')
  const match = new RegExp(`^${source}$`, 's').exec(line)
  if (match === null) return false
  names.forEach((name, index) => {
    if (name !== '') values.set(name, match[index + 1] as string)
  })
  return true
}

const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', 0: '\0', '\\': '\\' }

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (whole, char: string) => ESCAPES[char] ?? whole)
}
