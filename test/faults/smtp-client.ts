// One SMTP or LMTP connection of a client that never resends.

import type { Wire } from '../../src/app/wire.test-kit.ts'

export class SmtpClient {
  readonly #wire: Wire

  constructor(wire: Wire) {
    this.#wire = wire
  }

  send(octets: string | Uint8Array): void {
    this.#wire.send(octets)
  }

  /** The last line of the next reply. */
  async reply(): Promise<string> {
    for (;;) {
      const line = await this.#wire.line()
      if (line[3] !== '-') return line
    }
  }

  /** Sends a command; rejects unless the reply is positive. */
  async command(text: string): Promise<string> {
    this.send(`${text}\r\n`)
    return this.expect(text)
  }

  /** The next reply, which must be 2xx or 3xx. */
  async expect(what: string): Promise<string> {
    const reply = await this.reply()
    if (!/^[23]/.test(reply)) throw new SaidNo(`${what.split(' ')[0]}: ${reply}`)
    return reply
  }

  close(): void {
    this.#wire.socket.destroy()
  }
}

/** The server answered, and said no. */
export class SaidNo extends Error {}

/** Greets; logs in where there is a name. */
export async function openSmtp(
  wire: Wire,
  how: { readonly lmtp?: boolean; readonly login?: string; readonly password?: string },
): Promise<SmtpClient> {
  const client = new SmtpClient(wire)
  await client.expect('greeting')
  await client.command(`${how.lmtp === true ? 'LHLO' : 'EHLO'} client.remote.test`)
  if (how.login !== undefined) {
    const plain = Buffer.from(`\0${how.login}\0${how.password}`).toString('base64')
    await client.command(`AUTH PLAIN ${plain}`)
  }
  return client
}
