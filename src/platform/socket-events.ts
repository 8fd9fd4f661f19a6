import type { Socket } from 'node:net'

/** Takes what happens on a socket. */
export interface SocketSink {
  data(chunk: Buffer): void
  ended(): void
  drainEvent(): void
  failed(error: Error): void
  closed(): void
}

/** After the socket is no longer ours an error on it is still an event, and an event without a listener kills the process. */
function ignoreError(): void {}

/** Connects a socket's events with a sink; the returned function takes them off again. */
export function attachSink(socket: Socket, sink: SocketSink): () => void {
  const data = (chunk: Buffer) => sink.data(chunk)
  const ended = () => sink.ended()
  const drained = () => sink.drainEvent()
  const failed = (error: Error) => sink.failed(error)
  const closed = () => sink.closed()
  socket.on('error', failed)
  socket.on('close', closed)
  socket.on('end', ended)
  socket.on('drain', drained)
  socket.on('data', data)
  return () => {
    socket.off('data', data)
    socket.off('drain', drained)
    socket.off('end', ended)
    socket.off('close', closed)
    socket.on('error', ignoreError)
    socket.off('error', failed)
  }
}

/** `ECONNRESET: read ECONNRESET` and the like, for logs. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = errorCode(error)
  return code === undefined || error.message.includes(code) ? error.message : `${code}: ${error.message}`
}

export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : undefined
}
