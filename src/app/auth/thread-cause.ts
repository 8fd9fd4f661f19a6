import { AUTH_LIMITS } from './limits.ts'

/**
 * What is told of an error that is our fault: its kind and where it was thrown. Its own words only where no key was
 * at hand: a library may quote what it could not read.
 */
export function causeOf(error: unknown, options: { readonly tellsMessage: boolean }): string {
  if (!(error instanceof Error)) return options.tellsMessage ? printable(String(error)) : 'a value was thrown'
  const { code } = error as NodeJS.ErrnoException
  const kind = code === undefined ? error.name : `${error.name} ${code}`
  const words = options.tellsMessage ? `: ${error.message}` : ''
  const at = /^ {4}at .*$/m.exec(error.stack ?? '')?.[0]?.trim()
  return printable(`${kind}${words}${at === undefined ? '' : ` (${at})`}`)
}

function printable(text: string): string {
  return text.replace(/[^ -~]/g, '?').slice(0, AUTH_LIMITS.causeChars)
}
