/** Our own fault, never a peer's: a peer's fault is a reply or a returned value. */
export class Bug extends Error {
  override readonly name = 'Bug'
}

/** Throws `Bug` when something that only we can break is broken. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Bug(what)
}

/** For the end of a switch over a union: the compiler proves that nothing reaches it. */
export function unreachable(value: never): never {
  throw new Bug(`unreachable: ${JSON.stringify(value)}`)
}
