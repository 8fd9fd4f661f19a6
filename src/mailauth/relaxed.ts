/**
 * A header field in relaxed form (rfc6376 §3.4.2), without its line end. Octets stand as U+0000..U+00FF; only ASCII
 * letters of the name become lower case, and only space and tab are white space: more would sign what others read
 * differently.
 */
export function relaxedField(name: string, raw: string): string {
  return `${asciiLower(name)}:${relaxedValue(raw)}`
}

function relaxedValue(raw: string): string {
  return raw
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .replace(/^ | $/g, '')
}

function asciiLower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
