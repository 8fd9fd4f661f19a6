import { connect } from 'node:net'
import { ControlLines, type ControlReply, parseControlReply } from './control-wire.ts'
import { CONTROL_LIMITS } from './limits.ts'
import { errorCode, errorText } from './socket-events.ts'

export type ControlAnswer =
  | { readonly kind: 'result'; readonly result: unknown }
  /** What the server says went wrong, as a sentence. */
  | { readonly kind: 'error'; readonly sentence: string }
  /** Nobody serves this data folder now. */
  | { readonly kind: 'not-running'; readonly sentence: string }
  /** There is a socket, and this user may not use it. */
  | { readonly kind: 'not-allowed'; readonly sentence: string }

/**
 * Asks the running server for one thing over its control socket.
 * @param onLine takes each line of the answer as it comes.
 */
export function callControl(
  path: string,
  request: { readonly verb: string; readonly args: unknown },
  onLine: (line: string) => void = () => undefined,
): Promise<ControlAnswer> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const lines = new ControlLines(CONTROL_LIMITS.answerBytes)
    let answer: ControlAnswer = {
      kind: 'error',
      sentence: 'The server ended before it had answered. Its log may tell why.',
    }
    const take = (reply: ControlReply | undefined) => {
      if (reply !== undefined && 'line' in reply) return onLine(reply.line)
      if (reply === undefined)
        answer = {
          kind: 'error',
          sentence: 'The server answered in a form unknown here: is it another version?',
        }
      else if ('error' in reply) answer = { kind: 'error', sentence: reply.error }
      else answer = { kind: 'result', result: reply.result }
      socket.destroy()
    }
    socket.on('connect', () => socket.write(`${JSON.stringify({ id: 1, ...request })}\n`))
    socket.on('data', (chunk: Buffer) => {
      for (const line of lines.push(chunk) ?? ['too long']) {
        if (socket.destroyed) return
        take(parseControlReply(line))
      }
    })
    socket.on('error', (error) => {
      answer = connectFailure(path, error)
    })
    socket.on('close', () => resolve(answer))
  })
}

function connectFailure(path: string, error: unknown): ControlAnswer {
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return {
        kind: 'not-running',
        sentence: `No server is running on this data folder (nobody answers at ${path}).`,
      }
    case 'EACCES':
    case 'EPERM':
      return {
        kind: 'not-allowed',
        sentence: `This user may not give orders to the server (${path}): run the command as the server's user or as root.`,
      }
    default:
      return { kind: 'error', sentence: `The server can't be asked at ${path}: ${errorText(error)}.` }
  }
}
