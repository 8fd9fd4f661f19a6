import type { Spec } from './spec.ts'

export const REPORT_SPECS: readonly Spec[] = [
  {
    words: 'dmarc report',
    usage: '[--domain DOMAIN] [--days N] [--svg]',
    says: 'Says who sends as you, what passes, what fails and what to do, by the DMARC reports that came in; and how TLS to you fares.',
    details: [
      'Without `--domain` all of your domains are counted together; without `--days` the last 30 days, at most 400.',
      '`--svg` prints the plot alone, as a picture: `hikyaku dmarc report --svg > mail.svg`.',
    ],
    operation: 'dmarc.report',
    shape: { texts: ['domain', 'days'], flags: ['svg'] },
    args: (parsed) => ({
      domain: parsed.text('domain'),
      days: parsed.text('days'),
      svg: parsed.flag('svg'),
    }),
  },
]
