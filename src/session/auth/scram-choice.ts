import type { ScramKeys, StoredCredential } from '../../ports/accounts.ts'

/**
 * The keys to run one exchange with. A challenge has one salt and one count, so of an account's credentials
 * those serve that share them: the largest such group, the cheaper count of two that are equally large.
 * `makeCredential` sees to it that one group has them all.
 * @returns empty where no credential has keys of that hash.
 */
export function chooseScramKeys(
  credentials: readonly StoredCredential[],
  hash: ScramKeys['hash'],
): readonly ScramKeys[] {
  const groups = new Map<string, ScramKeys[]>()
  for (const credential of credentials)
    for (const keys of credential.scram ?? []) {
      if (keys.hash !== hash) continue
      const challenge = `${keys.iterations} ${Buffer.from(keys.salt).toString('hex')}`
      const group = groups.get(challenge)
      if (group === undefined) groups.set(challenge, [keys])
      else group.push(keys)
    }
  return [...groups.values()].reduce((best, group) => (isBetter(group, best) ? group : best), [])
}

function isBetter(group: readonly ScramKeys[], best: readonly ScramKeys[]): boolean {
  if (group.length !== best.length) return group.length > best.length
  return (group[0]?.iterations ?? 0) < (best[0]?.iterations ?? 0)
}
