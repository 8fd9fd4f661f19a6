import type { HeaderField } from '../mime/header.ts'

/** Who wrote a message, as its From field says it (rfc9989 §3.2.2). */
export type Author =
  | { readonly kind: 'one'; readonly domain: string; readonly addresses: readonly string[] }
  | { readonly kind: 'none'; readonly why: string }
  | { readonly kind: 'several-fields'; readonly count: number; readonly domains: readonly string[]; readonly why: string }
  | { readonly kind: 'several-domains'; readonly domains: readonly string[]; readonly why: string }
  /** Readers may read it differently from us. */
  | { readonly kind: 'unreadable'; readonly why: string }

/** Reads the From fields of a header. */
export function readAuthor(fields: readonly HeaderField[]): Author {
  void fields
  return { kind: 'none', why: '' }
}
