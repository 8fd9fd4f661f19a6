import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { CommandFailure } from './failure.ts'
import { askSecrets, type SecretTerminal } from './secret.ts'

/** A terminal that notes whether it echoed at each moment. */
class Terminal extends EventEmitter implements SecretTerminal {
  readonly isTTY = true
  readonly modes: boolean[] = []
  paused = true

  setRawMode(raw: boolean): void {
    this.modes.push(raw)
  }

  resume(): void {
    this.paused = false
  }

  pause(): void {
    this.paused = true
  }

  type(text: string | Buffer): void {
    this.emit('data', typeof text === 'string' ? Buffer.from(text) : text)
  }
}

const QUESTIONS = ['New password: ', 'Once more: ']
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('two questions have one reader, and the terminal stays mute from the first to the last', async () => {
  const terminal = new Terminal()
  let shown = ''
  const asked = askSecrets(QUESTIONS, terminal, (text) => (shown += text))
  terminal.type('first se')
  terminal.type('cret\r')
  await turn()
  assert.deepEqual(terminal.modes, [true], 'still raw')
  assert.equal(terminal.paused, false, 'still read: else the program ends here')
  terminal.type('first secret\r')
  assert.deepEqual(await asked, ['first secret', 'first secret'])
  assert.deepEqual(terminal.modes, [true, false])
  assert.equal(terminal.paused, true)
  assert.equal(shown, 'New password: \nOnce more: \n')
  assert.equal(terminal.listenerCount('data'), 0)
})

test('typing ahead, pasted line ends, corrections and characters in pieces', async () => {
  const terminal = new Terminal()
  const asked = askSecrets(QUESTIONS, terminal, () => {})
  terminal.type('wrong\u0015right\u007f\u007fht\r\npass')
  const kanji = Buffer.from('飛')
  terminal.type(kanji.subarray(0, 1))
  terminal.type(kanji.subarray(1))
  terminal.type('\n')
  assert.deepEqual(await asked, ['right', 'pass飛'])
})

for (const [name, end] of [
  ['Ctrl-C', (terminal: Terminal) => terminal.type('half\u0003')],
  ['Ctrl-D', (terminal: Terminal) => terminal.type('\u0004')],
  ['the end of the terminal', (terminal: Terminal) => void terminal.emit('end')],
] as const)
  test(`${name} gives up: nothing is changed, the terminal is as before`, async () => {
    const terminal = new Terminal()
    const signals = process.listenerCount('SIGTERM')
    const asked = askSecrets(QUESTIONS, terminal, () => {})
    terminal.type('one\r')
    await turn()
    end(terminal)
    await assert.rejects(
      asked,
      (error) =>
        error instanceof CommandFailure &&
        error.exitCode === 130 &&
        /Nothing was changed/.test(error.message),
    )
    assert.deepEqual(terminal.modes, [true, false])
    assert.equal(process.listenerCount('SIGTERM'), signals)
  })

test('without a terminal nothing is asked', async () => {
  const terminal = Object.assign(new Terminal(), { isTTY: false })
  assert.equal(await askSecrets(QUESTIONS, terminal, () => assert.fail('asked')), undefined)
})
