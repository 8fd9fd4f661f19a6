import { access, lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { LISTEN_LIMITS } from './limits.ts'
import { errorCode } from './socket-events.ts'

/** Why a path can't become a socket; `listenSentence` writes it out. */
class SocketPathError extends Error {
  readonly code: 'EADDRINUSE' | 'ENOTSOCK' | 'ENAMETOOLONG'
  constructor(code: SocketPathError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Removes a socket file that a dead server left behind. One that somebody still answers on, and anything
 * that is no socket, is left alone and refused.
 */
export async function clearStaleSocket(path: string): Promise<void> {
  if (Buffer.byteLength(path) > LISTEN_LIMITS.unixPathBytes)
    throw new SocketPathError('ENAMETOOLONG', `the path is longer than ${LISTEN_LIMITS.unixPathBytes} octets`)
  // bind() itself would answer EACCES for a missing folder (libuv's doing).
  await access(dirname(path))
  const found = await lstat(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) return
  if (!found.isSocket()) throw new SocketPathError('ENOTSOCK', 'there is a file of another kind')
  if (await answers(path)) throw new SocketPathError('EADDRINUSE', 'another server answers there')
  await unlink(path)
}

/** Binds with the right mode from the first moment on: a chmod afterwards would leave a gap. */
export function withUmask(mode: number, bind: () => void): void {
  const before = process.umask(0o777 & ~mode)
  try {
    bind()
  } finally {
    process.umask(before)
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error) => {
      // EACCES and a full backlog (EAGAIN) mean that somebody is there.
      resolve(errorCode(error) !== 'ECONNREFUSED' && errorCode(error) !== 'ENOENT')
    })
  })
}
