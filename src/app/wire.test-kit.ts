import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'

/** Where a test connects to. */
export type WireTo = PortName | WireOptions
export type PortName = 'mx' | 'submission' | 'submissions' | 'imap' | 'imaps' | 'lmtp'

export interface WireOptions {
  readonly port: PortName
  /** The address of the client that a PROXY header names. */
  readonly proxied?: string
  /** The loopback address to come from. */
  readonly bind?: string
  /** A unix socket instead of the port. */
  readonly path?: string
}

export interface WireEnv {
  portOf(name: string): number
  readonly ca: string
  readonly serverName: string
}

const WAIT_MS = 15_000
/** From here the PROXY protocol is believed: how a test comes from any address it likes. */
export const PROXY_ADDRESS = '127.0.0.9'

/** A client's end of a connection: lines as they come, octets where they are wanted. */
export class Wire {
  socket: Socket
  closed = false
  readonly #env: WireEnv
  /** Joined only when they are looked at: a large literal comes in thousands. */
  #pieces: Buffer[] = []
  #size = 0
  #wake: (() => void) | undefined

  constructor(socket: Socket, env: WireEnv) {
    this.#env = env
    this.socket = socket
    this.#listen(socket)
  }

  send(octets: string | Uint8Array): void {
    this.socket.write(octets)
  }

  /** The next line without its CRLF. */
  async line(): Promise<string> {
    let end = this.#joined().indexOf('\r\n')
    while (end < 0) {
      const from = Math.max(0, this.#size - 1)
      await this.#more()
      end = this.#joined().indexOf('\r\n', from)
    }
    return this.#take(end + 2)
      .subarray(0, end)
      .toString('utf8')
  }

  async octets(count: number): Promise<Buffer> {
    while (this.#size < count) await this.#more()
    return this.#take(count)
  }

  /** What came and was not read yet. */
  get pending(): string {
    return this.#joined().toString('utf8')
  }

  async ended(): Promise<void> {
    while (!this.closed) await this.#more()
  }

  /** The client's side of STARTTLS. */
  async startTls(): Promise<TLSSocket> {
    const plain = this.socket
    plain.removeAllListeners('data')
    const secured = await handshake(plain, this.#env)
    this.socket = secured
    this.#listen(secured)
    return secured
  }

  #take(count: number): Buffer {
    const joined = this.#joined()
    this.#pieces = [joined.subarray(count)]
    this.#size -= count
    return joined.subarray(0, count)
  }

  #joined(): Buffer {
    const joined = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces)
    this.#pieces = [joined]
    return joined
  }

  #more(): Promise<void> {
    if (this.closed) throw new Error(`the server closed; unread: ${JSON.stringify(this.pending)}`)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`nothing more came; unread: ${JSON.stringify(this.pending)}`)),
        WAIT_MS,
      )
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
    })
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#pieces.push(chunk)
      this.#size += chunk.length
      this.#wake?.()
    })
    socket.on('error', () => socket.destroy())
    for (const end of ['end', 'close'] as const)
      socket.on(end, () => {
        if (socket !== this.socket) return
        this.closed = true
        this.#wake?.()
      })
  }
}

const IMPLICIT: ReadonlySet<PortName> = new Set(['submissions', 'imaps'])

export async function openWire(to: WireTo, env: WireEnv): Promise<Wire> {
  const options: WireOptions = typeof to === 'string' ? { port: to } : to
  const { port, proxied, path } = options
  const bind = options.bind ?? (proxied === undefined ? undefined : PROXY_ADDRESS)
  const raw =
    path === undefined
      ? connect({ port: env.portOf(port), host: '127.0.0.1', ...(bind ? { localAddress: bind } : {}) })
      : connect(path)
  raw.setNoDelay(true)
  if (proxied !== undefined) {
    const family = proxied.includes(':') ? 'TCP6' : 'TCP4'
    raw.write(
      `PROXY ${family} ${proxied} ${family === 'TCP6' ? '::1' : '127.0.0.1'} 4000 ${env.portOf(port)}\r\n`,
    )
  }
  const socket = IMPLICIT.has(port) ? await handshake(raw, env) : raw
  return new Wire(socket, env)
}

function handshake(raw: Socket, env: WireEnv): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secured = connectTls({ socket: raw, ca: env.ca, servername: env.serverName })
    secured.once('secureConnect', () => resolve(secured))
    secured.once('error', reject)
  })
}
