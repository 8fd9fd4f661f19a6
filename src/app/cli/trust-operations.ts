import { resolve } from 'node:path'
import { MAX_HOST_LIST_BYTES } from '../operations/host-list.ts'
import { CommandFailure } from './failure.ts'
import { at, type Spec } from './spec.ts'
import { wholeFile } from './whole-file.ts'

/** Keys that sign, and exceptions from the DMARC policy. */
export const TRUST_SPECS: readonly Spec[] = [
  {
    words: 'dkim list',
    usage: '',
    says: 'Lists the DKIM keys of your domains: since when, whether their records are published, which ones sign.',
    operation: 'dkim.list',
    shape: {},
    args: () => ({}),
  },
  {
    words: 'dkim show',
    usage: '[DOMAIN]',
    says: 'Prints the DNS records to publish for DKIM, and what is published now; see docs/dkim.md.',
    details: ['Without DOMAIN those of all domains that are signed for.'],
    operation: 'dkim.show',
    shape: { max: 1 },
    args: (parsed) => ({ domain: at(parsed, 0) }),
  },
  {
    words: 'dkim rotate',
    usage: 'DOMAIN [--now]',
    says: 'Makes new DKIM keys, which sign once their records were seen in the DNS for an hour.',
    details: [
      'Asked again, it makes no more keys and tells how far it is.',
      '`--now` signs with the new keys at once, published or not.',
    ],
    operation: 'dkim.rotate',
    shape: { flags: ['now'], min: 1 },
    args: (parsed) => ({ domain: at(parsed, 0), now: parsed.flag('now') }),
  },
  {
    words: 'trust add',
    usage: '--dkim DOMAIN|--arc SEALER|--spf DOMAIN [--list LISTID] [--host NET] [--why TEXT] [--until DATE]',
    says: 'Makes an exception from the DMARC policy, and from nothing else, for a mailing list or forwarder.',
    details: [
      'The key is what a forger cannot write: a valid DKIM signature of DOMAIN, an ARC chain that SEALER has sealed last, or an envelope of DOMAIN that passes SPF.',
      '`--list` and `--host` only narrow it: to mail with that List-Id (with `--dkim` the signature must cover it), or from that address or network.',
      '`--until` takes a day (`2027-06-30`) or a span (`90d`, `26w`, `6m`, `1y`); without it the exception ends after a year.',
      'The same key again takes the place of the exception before.',
    ],
    operation: 'trust.add',
    shape: { texts: ['dkim', 'arc', 'spf', 'list', 'host', 'why', 'until'] },
    args: (parsed) =>
      Object.fromEntries(
        ['dkim', 'arc', 'spf', 'list', 'host', 'why', 'until'].map((name) => [name, parsed.text(name)]),
      ),
  },
  {
    words: 'trust list',
    usage: '',
    says: 'Lists the exceptions with their numbers; expired ones do nothing any more.',
    operation: 'trust.list',
    shape: {},
    args: () => ({}),
  },
  {
    words: 'trust remove',
    usage: 'N',
    says: 'Removes an exception by its number.',
    operation: 'trust.remove',
    shape: { min: 1 },
    args: (parsed) => ({ number: at(parsed, 0) }),
  },
  {
    words: 'trust import',
    usage: 'FILE [--dry-run]',
    says: 'Makes exceptions from a list of hosts of opendkim or opendmarc (TrustedHosts, IgnoreHosts), and says of each line what becomes of it.',
    details: [
      'A host name becomes exceptions for what its organization signs or sends, from the addresses of that host alone. An address alone is no key: what to do instead is said.',
      '`--dry-run` only says what would be made.',
    ],
    operation: 'trust.import',
    shape: { flags: ['dry-run'], min: 1 },
    args: (parsed) => ({ text: hostListText(at(parsed, 0) ?? ''), dryRun: parsed.flag('dry-run') }),
  },
]

/** Read here, with the rights of whoever asks: the server may not see the file. */
function hostListText(name: string): string {
  const path = resolve(name)
  const content = wholeFile(path, MAX_HOST_LIST_BYTES)
  if (content === undefined)
    throw new CommandFailure(`${path} is larger than 1 MiB; that is no list of hosts.`)
  return content.toString('utf8')
}
