import type { DnsSeen } from '../mail/authentication.ts'
import type { Answer, Resolver } from '../ports/resolver.ts'

/**
 * The DNS as authentication asks it. Names are lower case without a final dot; what SPF macros make of a local part
 * may hold octets that no host name has (rfc7208 §7.3). A text is a record's strings joined, octets as U+0000..U+00FF.
 */
export interface AuthDns extends Resolver {
  /** The name's own CNAME, not followed: tells a name that exists from one that does not (rfc9989 §A.4, rfc6604 §3). */
  cname(name: string): Promise<Answer<string>>
}

export type { DnsSeen }
