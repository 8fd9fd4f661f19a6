import type { ScramHash } from './password-hash.ts'

export type BindingType = 'tls-exporter' | 'tls-server-end-point'

export type Mechanism =
  | { readonly name: string; readonly kind: 'plain' | 'login' }
  | { readonly name: string; readonly kind: 'scram'; readonly hash: ScramHash; readonly plus: boolean }

/** Every mechanism that both our sides speak, the strongest first: the order of preference. */
export const MECHANISMS: readonly Mechanism[] = [
  { name: 'SCRAM-SHA-256-PLUS', kind: 'scram', hash: 'SHA-256', plus: true },
  { name: 'SCRAM-SHA-256', kind: 'scram', hash: 'SHA-256', plus: false },
  { name: 'SCRAM-SHA-1-PLUS', kind: 'scram', hash: 'SHA-1', plus: true },
  { name: 'SCRAM-SHA-1', kind: 'scram', hash: 'SHA-1', plus: false },
  { name: 'PLAIN', kind: 'plain' },
  // No RFC has it; Outlook and many cameras and printers speak nothing else.
  { name: 'LOGIN', kind: 'login' },
]

/** Mechanism names have no case on the wire of SMTP and IMAP. */
export function findMechanism(name: string): Mechanism | undefined {
  const upper = name.toUpperCase()
  return MECHANISMS.find((mechanism) => mechanism.name === upper)
}

/**
 * What our client side picks of a server's offer.
 * @param how.clearText whether the password may be shown to the server: only behind TLS.
 * @returns undefined where nothing on offer will do.
 */
export function chooseMechanism(
  offered: readonly string[],
  how: { readonly clearText: boolean; readonly binding: boolean },
): Mechanism | undefined {
  const names = new Set(offered.map((name) => name.toUpperCase()))
  return MECHANISMS.find(
    (mechanism) =>
      names.has(mechanism.name) &&
      (mechanism.kind === 'scram' ? how.binding || !mechanism.plus : how.clearText),
  )
}
