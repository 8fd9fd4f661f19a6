/** Characters that XML 1.0 cannot hold in any form: most controls, and the two that are no characters. */
const UNHOLDABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** A text as the content of an element or of a quoted attribute, in XML, SVG or HTML: nothing in it is markup any more. */
export function xmlText(text: string): string {
  return text
    .toWellFormed()
    .replace(UNHOLDABLE, '\ufffd')
    .replace(/[&<>"']/g, (char) => ESCAPES[char] as string)
    .replace(/\r/g, '&#13;')
}
