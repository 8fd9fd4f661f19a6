import type { Hasher } from '../../src/ports/credentials.ts'

/** Hashing is computation and proved elsewhere: here a password is kept in the form of a hash, for nothing. */
export function worldHasher(): Hasher {
  return {
    argon2id: async (password) => storedPassword(password),
    matchArgon2id: async (phcs, password) => {
      const index = phcs.indexOf(storedPassword(password))
      return index < 0 ? undefined : index
    },
    scramKeys: async (_password, { hash, salt, iterations }) => ({
      ...{ hash, salt, iterations },
      storedKey: new Uint8Array(32),
      serverKey: new Uint8Array(32),
    }),
  }
}

export function storedPassword(password: string): string {
  const plain = (text: string) => Buffer.from(text).toString('base64').replace(/=+$/, '')
  return `$argon2id$v=19$m=64,t=1,p=1$${plain('0123456789abcdef')}$${plain(password.padEnd(32, '.').slice(0, 32))}`
}
