import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatHostList, type HostListItem, parseHostList } from './host-list.ts'
import { networkText } from './trust-entry.ts'

const LIST = `# of opendkim
127.0.0.1
[::1]
localhost
192.0.2.0/24   # the office
!192.0.2.66
mail.example.org
.example.net, *.example.com
!bad.example.net

refile:/etc/opendkim/More
csl:10.0.0.1,relay.example.org
InternalHosts           refile:/etc/opendkim/TrustedHosts
IgnoreHosts /etc/opendmarc/ignore.hosts
ExternalIgnoreList 198.51.100.7
300.0.0.1
192.0.2.0/99
*@example.org
`

function shown(item: HostListItem): string {
  switch (item.kind) {
    case 'network':
      return `${item.line} ${item.isNegated ? 'not ' : ''}${networkText(item.network)}`
    case 'host':
      return `${item.line} ${item.isNegated ? 'not ' : ''}${item.below ? 'below ' : ''}${item.name}`
    case 'reference':
      return `${item.line} see ${item.target}`
    case 'unknown':
      return `${item.line} ? ${item.text}`
  }
}

test('each item of a list of hosts, in its order', () => {
  assert.deepEqual(parseHostList(LIST).map(shown), [
    '2 127.0.0.1',
    '3 ::1',
    '4 localhost',
    '5 192.0.2.0/24',
    '6 not 192.0.2.66',
    '7 mail.example.org',
    '8 below example.net',
    '8 below example.com',
    '9 not bad.example.net',
    '11 see /etc/opendkim/More',
    '12 10.0.0.1',
    '12 relay.example.org',
    '13 see /etc/opendkim/TrustedHosts',
    '14 see /etc/opendmarc/ignore.hosts',
    '15 198.51.100.7',
    '16 ? 300.0.0.1',
    '17 ? 192.0.2.0/99',
    '18 ? *@example.org',
  ])
})

test('cut at every byte: whatever stands in a line before the cut is read as before', () => {
  const whole = parseHostList(LIST).map(shown)
  for (let cut = 0; cut <= LIST.length; cut++) {
    const items = parseHostList(LIST.slice(0, cut))
    const line = LIST.slice(0, cut).split('\n').length
    const before = items.filter((item) => item.line < line).map(shown)
    assert.deepEqual(before, whole.slice(0, before.length))
  }
})

test('round trip: what was read is written so that it is read the same', () => {
  const kept = (item: HostListItem): unknown => ({ ...item, line: 0 })
  const same = (text: string): void => {
    // A list in a setting's line names files by bare paths, which in a list of its own are nothing.
    const items = parseHostList(text).filter(({ kind }) => kind !== 'reference')
    assert.deepEqual(parseHostList(formatHostList(items)).map(kept), items.map(kept))
  }
  same(LIST)
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...' \n,!.*#:/[]a1-é'), { maxLength: 60 }), (chars) =>
      same(chars.join('')),
    ),
  )
})

test('nothing but comments and space is dropped', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 9 }), (lines) => {
      const words = lines
        .join('\n')
        .split(/\r\n|\r|\n/)
        .filter(
          (line) =>
            line
              .replace(/#.*$/, '')
              .replace(/^\s*(?:csl:)?/i, '')
              .replace(/[\s,]/g, '') !== '',
        )
      const named = new Set(parseHostList(lines.join('\n')).map(({ line }) => line))
      assert.equal(named.size, words.length)
    }),
  )
})
