import { canonicalDomain } from '../../mail/domain.ts'
import { type Network, parseNetwork } from '../../mail/ip.ts'

/*
 * The lists of hosts of opendkim (InternalHosts, ExternalIgnoreList, PeerList; opendkim.conf(5)) and opendmarc
 * (IgnoreHosts): a host, an address or a network a line, `.example.org` for all hosts below a domain, `!` in front for
 * "not this one", `#` for comments. Lines of the two configuration files that name such a list are understood too.
 */

export type HostListItem = { readonly line: number; readonly text: string } & (
  | { readonly kind: 'network'; readonly network: Network; readonly isNegated: boolean }
  /** `below`: the hosts below that domain. */
  | { readonly kind: 'host'; readonly name: string; readonly below: boolean; readonly isNegated: boolean }
  /** Another list, by its file or in some other kind of store. */
  | { readonly kind: 'reference'; readonly target: string }
  /** Nothing that such a list has. */
  | { readonly kind: 'unknown' }
)

/** Larger than any list that a person keeps. */
export const MAX_HOST_LIST_BYTES = 1024 * 1024
const MAX_TEXT = 300

const KEYWORD =
  /^(?:InternalHosts|ExternalIgnoreList|PeerList|ExemptDomains|IgnoreHosts|TrustedHosts)\s+(?=\S)/i
const DATA_SET = /^(?:refile|file|db|dsn|ldap|ldaps|lua|memcache|socket|erlang|mdb):/i

/** Each item of the list in its order; nothing but comments and empty lines is left out. */
export function parseHostList(text: string): readonly HostListItem[] {
  return text.split(/\r\n|\r|\n/).flatMap((line, i) => {
    const said = line.replace(/#.*$/, '').trim()
    const value = said.replace(KEYWORD, '')
    // A list in a configuration file is separated by commas, in a file of its own by lines.
    const words = value.replace(/^csl:/i, '').split(/[\s,]+/)
    return words.filter((word) => word !== '').map((word) => itemOf(word, i + 1, value !== said))
  })
}

/** @param isSetting the word is a setting's value: a path names the file with the list. */
function itemOf(word: string, line: number, isSetting: boolean): HostListItem {
  const at = { line, text: word.slice(0, MAX_TEXT) }
  const isReference = DATA_SET.test(word) || (isSetting && word.startsWith('/'))
  if (isReference) return { ...at, kind: 'reference', target: word.replace(/^(?:ref|f)ile:/i, '') }
  const isNegated = word.startsWith('!')
  const bare = isNegated ? word.slice(1) : word
  const network = parseNetwork(bare.replace(/^\[(.*)\](?=$|\/)/, '$1'))
  if (network !== undefined) return { ...at, kind: 'network', network, isNegated }
  const below = /^\*?\./.test(bare)
  const name = canonicalDomain(bare.replace(/^\*?\./, ''))
  // What looks like a wrong address is none of the names that end in a number.
  return name === undefined || /(?:^|\.)\d+$/.test(name)
    ? { ...at, kind: 'unknown' }
    : { ...at, kind: 'host', name, below, isNegated }
}

/** One line for each item, as `parseHostList` reads it. */
export function formatHostList(items: readonly HostListItem[]): string {
  return items.map(({ text }) => `${text}\n`).join('')
}
