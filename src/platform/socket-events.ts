import type { Socket } from 'node:net'

/** Takes what happens on a socket. */
export interface SocketSink {
  data(chunk: Buffer): void
  ended(): void
  drainEvent(): void
  failed(error: Error): void
  closed(): void
}

const SINK = Symbol('sink')

/** A socket that carries its sink: so the listeners are shared, not six closures for each connection. */
interface SunkSocket extends Socket {
  [SINK]?: SocketSink | undefined
}

function onData(this: SunkSocket, chunk: Buffer): void {
  this[SINK]?.data(chunk)
}
function onEnd(this: SunkSocket): void {
  this[SINK]?.ended()
}
function onDrain(this: SunkSocket): void {
  this[SINK]?.drainEvent()
}
/** Stays on for good: after the socket is no longer ours an error on it would kill the process. */
function onError(this: SunkSocket, error: Error): void {
  this[SINK]?.failed(error)
}
function onClose(this: SunkSocket): void {
  this[SINK]?.closed()
}

/** Connects a socket's events with a sink. Data begins to flow. */
export function attachSink(socket: Socket, sink: SocketSink): void {
  const sunk: SunkSocket = socket
  sunk[SINK] = sink
  sunk.on('error', onError)
  sunk.on('close', onClose)
  sunk.on('end', onEnd)
  sunk.on('drain', onDrain)
  sunk.on('data', onData)
}

/** Takes the sink off again; the socket can go to somebody else. */
export function detachSink(socket: Socket): void {
  const sunk: SunkSocket = socket
  sunk[SINK] = undefined
  sunk.off('data', onData)
  sunk.off('drain', onDrain)
  sunk.off('end', onEnd)
  sunk.off('close', onClose)
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
