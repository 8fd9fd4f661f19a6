import type { Network } from '../mail/ip.ts'
import type { Config } from './settings.ts'

/** A mistake that shows only when two settings are seen together. */
export interface Clash {
  readonly setting: string
  readonly wrong: string
  readonly write: string
}

type Rule = (config: Config) => Clash | undefined

/** Larger than any one owner's: 10.0.0.0/8 and a provider's /32 are still somebody's own. */
function isLargePart(network: Network): boolean {
  return network.prefixBits < (network.octets.length === 4 ? 8 : 32)
}

/** In the order in which they are worth reading. */
const RULES: readonly Rule[] = [
  ({ tls }) =>
    (tls.certificate === undefined) === (tls.key === undefined)
      ? undefined
      : {
          setting: tls.key === undefined ? 'tls.certificate' : 'tls.key',
          wrong: 'a certificate and its key belong together, and one is missing',
          write: 'both `certificate` and `key`, or neither',
        },
  ({ domains }) =>
    [...domains.separator].length <= 1 && !/[A-Za-z0-9@"\s.]/.test(domains.separator)
      ? undefined
      : {
          setting: 'domains.separator',
          wrong: `"${domains.separator}" cannot be told from the address itself`,
          write: 'one character such as "+" or "-", or ""',
        },
  ({ submission }) =>
    submission.trusted_networks.length === 0 || submission.trusted_from.length > 0
      ? undefined
      : {
          setting: 'submission.trusted_networks',
          wrong: 'hosts that submit without a password need a list of addresses that they may write',
          write: '`trusted_from = ["printer@example.org"]` beside it',
        },
  ({ submission }) => {
    // An open relay must not be one careless line away.
    const open = submission.trusted_networks.find(isLargePart)
    return open === undefined
      ? undefined
      : {
          setting: 'submission.trusted_networks',
          wrong: `${open.text} is a large part of the Internet, not your house`,
          write: 'the addresses of your own devices',
        }
  },
  ({ outbound }) =>
    (outbound.smarthost_user === undefined) === (outbound.smarthost_password_file === undefined)
      ? undefined
      : {
          setting:
            outbound.smarthost_user === undefined
              ? 'outbound.smarthost_password_file'
              : 'outbound.smarthost_user',
          wrong: 'a user name and a password file belong together, and one is missing',
          write: 'both `smarthost_user` and `smarthost_password_file`, or neither',
        },
  ({ outbound }) =>
    outbound.smarthost_user !== undefined && outbound.smarthost_tls === 'opportunistic'
      ? {
          setting: 'outbound.smarthost_tls',
          wrong: 'a password is not sent where TLS may be missing',
          write: '"starttls" or "implicit"',
        }
      : undefined,
  ({ outbound }) =>
    outbound.retry_after.length > 0
      ? undefined
      : {
          setting: 'outbound.retry_after',
          wrong: 'an empty list leaves no second attempt',
          write: 'a list such as ["5 min", "1 h"]',
        },
  ({ listen }) => {
    // LMTP has no passwords and delivers to every account: off loopback it would take mail from anyone.
    const open = listen.lmtp.find(
      (at) => at.kind === 'tcp' && (at.address === '0.0.0.0' || at.address === '::'),
    )
    return open === undefined
      ? undefined
      : {
          setting: 'listen.lmtp',
          wrong: 'LMTP has no passwords and this address is open to the world',
          write:
            '"unix:/run/hikyaku/lmtp.sock", or an address of this machine that only your mail server reaches',
        }
  },
  ({ listen }) =>
    listen.proxy_from.some(isLargePart)
      ? {
          setting: 'listen.proxy_from',
          wrong: 'anybody could claim any address',
          write: 'the addresses of your own proxies',
        }
      : undefined,
  ({ domains }) =>
    domains.postmaster !== undefined &&
    !domains.names.includes(domains.postmaster.slice(domains.postmaster.lastIndexOf('@') + 1))
      ? {
          setting: 'domains.postmaster',
          wrong: `${domains.postmaster} is not in one of your domains`,
          write: 'an account in one of `domains.names`',
        }
      : undefined,
  ({ dkim, domains }) => {
    const other = dkim.domains.find((domain) => !domains.names.includes(domain))
    return other === undefined
      ? undefined
      : {
          setting: 'dkim.domains',
          wrong: `${other} is not one of your domains`,
          write: 'domains that `domains.names` has too, or nothing for all of them',
        }
  },
  ({ domains }) =>
    domains.test_domain !== undefined && domains.names.includes(domains.test_domain)
      ? {
          setting: 'domains.test_domain',
          wrong: 'it is one of your own domains, whose mail would no longer arrive',
          write: 'a domain that nobody uses, such as "test.example"',
        }
      : undefined,
]

/** Clashes between settings that are each valid alone. */
export function checkTogether(config: Config): readonly Clash[] {
  return RULES.map((rule) => rule(config)).filter((clash) => clash !== undefined)
}

/** Settings that are allowed and yet hardly meant: a server that does nothing for anybody should say so. */
const NOTES: readonly Rule[] = [
  ({ domains }) =>
    domains.names.length > 0
      ? undefined
      : {
          setting: 'domains.names',
          wrong: "no domain is named: nobody's mail ends here",
          write: 'your own domains, such as `names = ["example.org"]` under `[domains]`',
        },
]

export function notesOf(config: Config): readonly Clash[] {
  return NOTES.map((rule) => rule(config)).filter((note) => note !== undefined)
}
