import type { TlsFacts } from '../mail/tls-facts.ts'

/** rfc9266 §3 and rfc5929 §4: which channel bindings a connection can offer. */
export function bindingsOf(tls: TlsFacts | undefined): readonly ('tls-exporter' | 'tls-server-end-point')[] {
  return [
    ...(tls?.exporter === undefined ? [] : (['tls-exporter'] as const)),
    ...(tls?.serverEndPoint === undefined ? [] : (['tls-server-end-point'] as const)),
  ]
}
