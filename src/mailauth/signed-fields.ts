import { headerFields } from '../mime/header.ts'
import { relaxedField } from './relaxed.ts'

/** Which fields a signature covers. Names in lower case. */
export interface FieldChoice {
  /** Named once more than there are of them, so that another one breaks the signature (rfc6376 §8.15). */
  readonly sealed: readonly string[]
  /** Signed where they are there; more may be added above them. */
  readonly present: readonly string[]
}

/** The names of `h=` for a header: those that are there (each as often as it stands), then the guards against more. */
export function chooseFields(header: Uint8Array, choice: FieldChoice): string[] {
  const counts = new Map<string, number>()
  for (const { key } of headerFields(header)) counts.set(key, (counts.get(key) ?? 0) + 1)
  const times = (name: string, more: number): string[] =>
    new Array<string>((counts.get(name) ?? 0) + more).fill(name)
  return [
    ...choice.sealed.flatMap((name) => times(name, 1)),
    ...choice.present.flatMap((name) => times(name, 0)),
  ]
}

/**
 * What a signature over `names` hashes of a header (rfc6376 §3.7, §5.4.2): the fields in relaxed form, each name taking
 * the lowest that no earlier one took; a name that finds none takes nothing. Each field ends with CRLF.
 */
export function signedText(header: Uint8Array, names: readonly string[]): string {
  const left = Map.groupBy(headerFields(header), ({ key }) => key)
  return names
    .map((name) => left.get(name)?.pop())
    .map((field) => (field === undefined ? '' : `${relaxedField(field.name, field.raw)}\r\n`))
    .join('')
}
