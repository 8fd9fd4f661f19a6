// What breaks mail servers, by numbers that tests are named after: `attack 25a: …`. docs/attacks.md is printed from it.

export interface Part {
  /** One thing, with where it was seen: a CVE, an advisory, a project. */
  readonly what: string
  /** Why no test can be there: what it attacks does not exist here yet. */
  readonly notYet?: string
}

export interface Attack {
  readonly title: string
  /** By letter. */
  readonly parts: Readonly<Record<string, Part>>
}

export interface Group {
  readonly title: string
  readonly attacks: Readonly<Record<number, Attack>>
}

function wholly(title: string, what: string, notYet: string): Attack {
  return { title, parts: { a: { what, notYet } } }
}

const SMTP: Group['attacks'] = {
  1: {
    title: 'Smuggling by a false end of data',
    parts: {
      a: {
        what: '`<LF>.<LF>`, `<LF>.<CR><LF>`, `<CR>.<CR>`, `<CR><LF>.<LF>` and all others, coming in (VU#302671; CVE-2023-51764 Postfix, 51765 Sendmail, 51766 Exim, 51747 James; Haraka #3268)',
      },
      b: { what: 'Ends with a NUL in them, and mixed ones' },
      c: { what: 'Never sent, whatever the message holds' },
    },
  },
  2: {
    title: 'Commands and answers injected around STARTTLS',
    parts: {
      a: {
        what: 'Commands behind STARTTLS in clear text, SMTP (nostarttls.secvuln.info; James CVE-2021-38542)',
      },
      b: { what: 'The same, IMAP (mox, "extra bytes")' },
      c: { what: 'Parameters and control characters behind the word (smtp-server #260)' },
      d: { what: 'Answers of a server behind its go-ahead, in clear text' },
    },
  },
  3: {
    title: 'State that outlives an error',
    parts: {
      a: { what: 'RCPT or DATA without MAIL after a refused end of data (Postfix)' },
      b: { what: "A milter's accept in the next transaction (Postfix)", notYet: 'milters are not asked yet' },
    },
  },
  4: {
    title: 'BDAT',
    parts: {
      a: { what: 'After an error, and without MAIL (Stalwart, Postfix)' },
      b: { what: 'Thousands of tiny chunks, an endless one, one whose size is no number' },
      c: { what: 'RSET between chunks' },
    },
  },
  5: {
    title: 'Commands without end or order',
    parts: {
      a: { what: 'Over-long commands and lines, many lines without LF (smtp-server 3.18.3)' },
      b: { what: 'Floods of bad MAIL and RCPT, and of commands without a message (Haraka #387)' },
      c: { what: 'QUIT twice (Haraka #3536)' },
      d: { what: 'Odd order (Haraka #3525)' },
    },
  },
  6: {
    title: 'PROXY protocol',
    parts: {
      a: { what: 'A header that never finishes, is too long, half or none (smtp-server 3.19.0)' },
      b: { what: 'From a peer that is no proxy' },
      c: { what: 'Version 2 whose lengths and additions lie' },
    },
  },
  7: {
    title: 'Authentication',
    parts: {
      a: { what: 'Bad base64 (Dovecot CVE-2025-59028)' },
      b: { what: 'Another identity smuggled in (smtp-server #261)' },
      c: { what: 'SCRAM messages that lead the parser astray (mox)' },
      d: { what: 'Comparisons and unknown users that tell by time (mox; Dovecot CVE-2026-27856)' },
      e: { what: 'Replay (Dovecot CVE-2026-27855)' },
      f: { what: 'Two logins under one key of the cache (Dovecot CVE-2025-30189)' },
      g: { what: 'LDAP and SQL in names (Dovecot CVE-2026-27860 and 24031; maddy GHSA-5835)' },
    },
  },
  8: {
    title: 'Line breaks where a value goes',
    parts: {
      a: { what: 'ENVID, ORCPT and AUTH= with an encoded NUL, CR or LF (Postfix)' },
      b: { what: 'In addresses and names that become records and fields (Postfix)' },
      c: { what: 'In values of messages that we compose (mox webapi)' },
    },
  },
  9: {
    title: 'Headers beyond their size',
    parts: {
      a: { what: 'A `From ` line, huge headers, lines and messages that get around the limit (Postfix)' },
      b: { what: 'Very many address fields, huge ones (Dovecot CVE-2024-23184 and 23185)' },
    },
  },
  10: {
    title: 'Using up what there is',
    parts: {
      a: { what: 'No descriptor left: accept must not spin (EMFILE)' },
      b: { what: 'Slow loris: an octet a minute' },
      c: { what: 'Memory of clients that have only connected (Stalwart, Postfix)' },
      d: { what: 'Clients that stop reading' },
    },
  },
  11: {
    title: 'Hostile servers',
    parts: {
      a: { what: 'Replies of endless lines, lines without end, garbage' },
      b: { what: 'A huge EHLO reply' },
      c: { what: 'Injected behind STARTTLS, and answers that nobody asked for' },
      d: { what: 'MX records whose data is too short' },
      e: { what: 'A TLS session of one service used with another' },
      f: { what: 'REQUIRETLS and a next hop without ESMTP', notYet: 'REQUIRETLS is not spoken yet' },
    },
  },
  12: wholly(
    'Milters',
    'Malformed replies; lost in the midst of replacing the body (Postfix)',
    'milters are not asked yet',
  ),
  13: {
    title: 'Loops',
    parts: {
      a: { what: 'Reports about reports' },
      b: { what: 'Delivery to our own address (Stalwart #1377)' },
      c: { what: 'Forwarding in circles, aliases that name each other (Postfix `:include:`)' },
      d: { what: 'Vacation and TLS reports (Stalwart #1301)', notYet: 'neither is sent yet' },
    },
  },
}

const AUTHENTICITY: Group['attacks'] = {
  14: {
    title: 'Who is the author',
    parts: {
      a: { what: 'Several From fields or addresses: of a submission none may be foreign' },
      b: { what: 'Of mail from elsewhere (espoofer A1 to A19; CVE-2019-16378 OpenDMARC)' },
    },
  },
  15: {
    title: 'Forged results',
    parts: {
      a: {
        what: 'Authentication-Results and Received-SPF of the sender’s making that carry our name (CVE-2019-20790 OpenDMARC)',
      },
      b: {
        what: 'Quotes, parentheses and line ends in HELO, domains and signatures that become results of ours (CVE-2020-12272 OpenDMARC)',
      },
    },
  },
  16: {
    title: 'SPF',
    parts: {
      a: { what: 'Lookups without end, include loops, void names (RFC 7208 section 4.6.4; BreakSPF)' },
      b: { what: 'Macros that grow (mailauth 5.0.2)' },
      c: { what: 'A null sender, and a HELO name of the attacker that passes' },
    },
  },
  17: {
    title: 'DKIM',
    parts: {
      a: { what: 'NUL, controls and longer names in domain and selector (espoofer)' },
      b: { what: 'Fields that are not signed, and duplicates put above those that are' },
      c: { what: '`l=`: what was added behind (Zone.eu)' },
      d: { what: 'Hundreds of signatures' },
      e: { what: 'Keys too short, too long, broken (mox)' },
      f: { what: 'Times, `t=s` and `i=`' },
      g: { what: 'A genuine signature pasted on another message, a valid one of another domain' },
    },
  },
  18: {
    title: 'DMARC',
    parts: {
      a: { what: 'Strict alignment taken for relaxed (mailauth 5.0.0)' },
      b: { what: 'Names of the prototype, a tag twice, several records (mailauth 5.0.0)' },
      c: { what: 'Subdomains that do not exist, neighbours under a public suffix' },
      d: { what: 'The tree walk of a name with very many labels' },
      e: { what: 'Time and questions used up, so that the policy is not seen' },
    },
  },
  19: {
    title: 'ARC',
    parts: {
      a: { what: 'More than 50 sets, and more of them than a thread has time for (ValiMail; mailauth)' },
      b: {
        what: 'Gaps, duplicates, `cv` that contradicts, instances that are no number (ValiMail; mailauth)',
      },
    },
  },
  20: {
    title: 'Reports',
    parts: {
      a: { what: 'Zip, gzip and XML bombs, nesting (fast-xml-parser; mailauth 4.12.1; Stalwart 0.16.18)' },
      b: { what: 'Markup and escapes in what they say' },
      c: { what: 'A bomb as a mail: it is delivered, and nothing else waits' },
    },
  },
  21: {
    title: 'DNS',
    parts: {
      a: {
        what: 'KeyTrap and NSEC3 (CVE-2023-50387, CVE-2023-50868)',
        notYet: 'signatures are checked by the resolver that is asked, not here',
      },
      b: { what: 'CNAMEs in a circle' },
      c: { what: 'Truncated and oversized answers' },
      d: { what: 'Bad compression pointers' },
      e: { what: 'Forged answers' },
      f: { what: 'MTA-STS and DANE', notYet: 'neither is looked up yet' },
      g: { what: 'Resolvers that are slow, dead or talk nonsense while a sender is authenticated' },
    },
  },
}

const MESSAGES: Group['attacks'] = {
  22: {
    title: 'MIME without end',
    parts: {
      a: { what: 'Millions of parts (mailparser #202)' },
      b: { what: 'Deep nesting, and nesting in itself (Stalwart CVE-2026-26312)' },
      c: { what: 'Huge parameters in sections (Dovecot CVE-2026-27859)' },
      d: { what: 'Nested address groups (nodemailer CVE-2025-14874)' },
      e: {
        what: 'Repetition within repetition: time beyond the length of the text (CVE-2021-23400, GHSA-9h6g-pr28-7cqp)',
      },
      f: { what: 'Boundaries that begin with one another' },
      g: { what: 'HTML that never closes (James CVE-2024-45626)' },
      h: {
        what: 'Links and paths in Office files (Dovecot CVE-2025-59031)',
        notYet: 'attachments are not opened',
      },
      i: { what: 'Bounds of punycode (Dovecot 2.4.3)' },
      j: { what: 'Malformed mail that crashes whoever reads it (Haraka #2284, #2530)' },
    },
  },
  23: {
    title: 'Tricks with charsets',
    parts: {
      a: { what: 'Escapes of ISO-2022-JP' },
      b: { what: 'A shift that is not ended' },
      c: { what: 'Invalid EUC' },
      d: { what: 'Overlong UTF-8' },
      e: { what: 'A field hidden in an encoded word: Bcc' },
      f: { what: 'A file name in RFC 2047 form beside one in RFC 2231 form' },
    },
  },
  24: wholly(
    'Scanners for viruses',
    'Zip bombs, a scanner that is down or slow, EICAR in a nested message',
    'no scanner is asked yet',
  ),
}

const IMAP: Group['attacks'] = {
  25: {
    title: 'Literals and arguments',
    parts: {
      a: { what: 'Floods of literals that do not wait (Cyrus CVE-2024-34055)' },
      b: { what: 'Sizes of 64 bits, negative, zero, odd (wildduck #1065)' },
      c: { what: 'Parentheses nested before login (Dovecot CVE-2026-27857)' },
      d: {
        what: 'Memory of clients that have not logged in (Stalwart CVE-2025-61600; James CVE-2024-37358)',
      },
      e: { what: '`*%*%` in LIST (James CVE-2021-40110)' },
    },
  },
  26: {
    title: 'Small questions with large answers',
    parts: {
      a: { what: 'DEFLATE bombs and stalls (wildduck #1062; mox)', notYet: 'COMPRESS is not spoken yet' },
      b: { what: 'Sets of every other UID (wildduck #1089)' },
      c: { what: 'SEARCH nested without end' },
      d: { what: 'FETCH of 100,000 parts' },
      e: { what: 'Pieces from huge offsets' },
    },
  },
  27: {
    title: 'Names, and what others own',
    parts: {
      a: { what: 'Mailbox names with `../`, NUL and controls' },
      b: { what: 'Two wire forms of one name in modified UTF-7' },
      c: { what: 'Names that share a hash (Cyrus CVE-2021-33582)' },
      d: { what: "What another's mailbox holds, or that it exists (Cyrus CVE-2026-47081 to 47089)" },
      e: {
        what: 'Rights of others, URLAUTH, Sieve and HTTP sessions (James CVE-2021-40525; CVE-2019-18928)',
        notYet: 'none of them is here',
      },
    },
  },
  28: {
    title: 'Web console and throttling',
    parts: {
      a: { what: 'Throttling of log-ins that locks the owner out' },
      b: {
        what: 'Stored scripts, CSRF, recurrences without end (Stalwart CVE-2025-59045)',
        notYet: 'there is no web console and no calendar',
      },
    },
  },
}

const FAULTS: Group['attacks'] = {
  29: {
    title: 'Faults of the machine',
    parts: {
      a: { what: 'A full disk' },
      b: { what: 'A disk that cannot be written any more' },
      c: { what: 'fsync that fails (EIO)' },
      d: { what: '`kill -9` at each step, power loss' },
      e: { what: 'A torn last record' },
      f: { what: 'Clock jumps' },
      g: { what: 'Certificates that expire' },
      h: { what: 'A resolver that is gone' },
      i: { what: 'Two servers on one store' },
      j: { what: 'One damaged message that stops the others (Stalwart #1858, #1632)' },
    },
  },
}

const MORE: Group['attacks'] = {
  30: {
    title: 'SMTP',
    parts: {
      a: { what: 'Parameters by the thousand, numbers beyond all sizes, values within values' },
      b: { what: 'Address literals of every odd form, lookalikes, 8-bit local parts' },
      c: { what: 'Early talkers and other protocols on the port' },
    },
  },
  31: {
    title: 'Messages',
    parts: {
      a: { what: 'Thousands of fields of one kind, fields without a name, folds by the megabyte' },
      b: { what: 'Message-IDs that collide, threads of thousands of ids' },
      c: { what: 'Dates beyond all time, odd MIME versions' },
      d: { what: 'Terminal escapes in what an operator is shown' },
    },
  },
  32: {
    title: 'IMAP',
    parts: {
      a: { what: 'Long tags, literals in every place, exchanges that never end, garbage in IDLE' },
      b: { what: 'SELECT, STATUS and FETCH by the thousand, sets that overlap' },
      c: { what: 'Keywords, mailboxes and subscriptions without end' },
      d: { what: 'RENAME in circles, twins of names' },
      e: { what: 'SEARCH of very many keys and odd charsets' },
    },
  },
  33: {
    title: 'TLS and the control socket',
    parts: {
      a: { what: 'Handshakes in single octets, garbage, odd server names, renegotiation' },
      b: { what: 'Garbage and floods on the control socket' },
    },
  },
  34: {
    title: 'Holding and letting pass',
    parts: {
      a: {
        what: 'An exception that somebody else claims: List-Id forged, doubled, a list’s signature on another message',
      },
      b: { what: 'A stranger who writes what only a backup server of ours may say' },
      c: { what: 'Held mail that gets out by an alias, Junk or a changed alias' },
      d: { what: 'Success reports to a sender whom nobody vouches for' },
      e: { what: 'What a held message makes the digest say' },
      f: { what: 'Held mail without end' },
    },
  },
}

export const ATTACKS: readonly Group[] = [
  { title: 'SMTP, and what is below it', attacks: SMTP },
  { title: 'Authenticity and DNS', attacks: AUTHENTICITY },
  { title: 'Messages', attacks: MESSAGES },
  { title: 'IMAP and above', attacks: IMAP },
  { title: 'Faults', attacks: FAULTS },
  { title: 'Further hostile input', attacks: MORE },
]
