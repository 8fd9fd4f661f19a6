import type { Hasher } from '../../ports/credentials.ts'
import { deriveScramKeys, hashArgon2id, matchArgon2id } from '../../protocol/sasl/password-hash.ts'

/** Hashes where it is called, holding its thread up to 0.1 s: for verbs that run while the server does not. */
export function directHasher(): Hasher {
  return {
    argon2id: async (password, salt) => hashArgon2id(password, { salt }),
    matchArgon2id: async (phcs, password) => matchArgon2id(phcs, password),
    scramKeys: async (password, how) => deriveScramKeys(password, how),
  }
}
