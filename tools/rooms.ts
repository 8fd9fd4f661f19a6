// The import table: which room under src/ may import which, and what it may take from Node. Bytes flow one way,
// socket → protocol core → session → pipeline → store → queue → protocol core → socket; the table is that sentence.

/** How much of the outside world the code of a room may touch through global names. */
export type Reach =
  /** Bytes and time in, values out: no clock, timer, promise, chance, process or network. */
  | 'pure'
  /** May wait, but time, chance and the outside come through ports, so that a test owns them. */
  | 'through-ports'
  | 'free'

export interface Room {
  /** Other rooms under src/. */
  readonly imports: readonly string[]
  /** Modules of Node, without `node:`. */
  readonly node: readonly string[] | 'any'
  /** Packages from the registry. */
  readonly packages: readonly string[] | 'any'
  readonly reach: Reach
  readonly why: string
}

const outside =
  'net tls fs fs/promises os dgram process child_process worker_threads http https http2 path url events stream'
const platformModules = `${outside} dns timers util readline tty perf_hooks diagnostics_channel`.split(' ')
const allButAppAndConsole =
  'bytes mail ports mime protocol mailauth store queue filters pipeline session platform pki config'.split(
    ' ',
  )

export const rooms: Readonly<Record<string, Room>> = {
  bytes: {
    imports: [],
    node: [],
    packages: [],
    reach: 'pure',
    why: 'the bottom: computation on octets (Buffer is a global)',
  },
  mail: {
    imports: ['bytes'],
    node: ['url'],
    packages: [],
    reach: 'pure',
    why: 'the shared words as values; node:url only for domainToASCII, which is computation',
  },
  ports: {
    imports: ['mail'],
    node: [],
    packages: [],
    reach: 'through-ports',
    why: 'interfaces only: what a room asks for without knowing who answers',
  },
  mime: {
    imports: ['bytes', 'mail'],
    node: [],
    packages: [],
    reach: 'pure',
    why: 'a parser of streams: the same input gives the same answer, cut anywhere',
  },
  protocol: {
    imports: ['bytes', 'mail'],
    node: [],
    packages: [],
    reach: 'pure',
    why: 'cores do no I/O: a core that knows a socket or a clock cannot be cut at every byte and fuzzed',
  },
  'protocol/sasl': {
    imports: ['bytes', 'mail'],
    node: ['crypto'],
    packages: [],
    reach: 'pure',
    why: 'a core like the others; hashing is computation',
  },
  'protocol/dns': {
    imports: ['bytes', 'mail'],
    node: [],
    packages: ['dns-packet'],
    reach: 'pure',
    why: 'a core like the others; the wire form of DNS comes from a library that only computes',
  },
  mailauth: {
    imports: ['bytes', 'mail', 'mime', 'ports'],
    node: ['crypto'],
    packages: ['mailauth'],
    reach: 'through-ports',
    why: 'SPF, DKIM, DMARC and ARC ask the DNS through the resolver port',
  },
  'mailauth/reports': {
    imports: ['bytes', 'mail', 'mime', 'ports'],
    node: ['crypto', 'zlib'],
    packages: ['fast-xml-parser'],
    reach: 'through-ports',
    why: 'reports are XML in gzip or zip: reading both is computation',
  },
  store: {
    imports: ['bytes', 'mail', 'mime', 'ports'],
    node: ['crypto', 'fs', 'fs/promises', 'path', 'sqlite', 'worker_threads', 'zlib'],
    packages: [],
    reach: 'free',
    why: 'the only room that touches a database or a body file (zlib for its checksum, which is computation)',
  },
  queue: {
    imports: ['bytes', 'mail', 'mime', 'ports'],
    node: [],
    packages: [],
    reach: 'through-ports',
    why: 'decides when and what goes out; who speaks the protocol does not decide what a failure means',
  },
  filters: {
    imports: ['bytes', 'mail', 'mime', 'ports', 'protocol'],
    node: [],
    packages: [],
    reach: 'through-ports',
    why: 'other programs are asked through the dialer port',
  },
  pipeline: {
    imports: ['bytes', 'mail', 'mime', 'mailauth', 'ports'],
    node: [],
    packages: [],
    reach: 'through-ports',
    why: 'the stages of one received message: everything they need comes through ports',
  },
  session: {
    imports: ['bytes', 'mail', 'mime', 'protocol', 'ports', 'pipeline'],
    node: [],
    packages: [],
    reach: 'through-ports',
    why: 'answers what the cores ask; decides and writes no bytes',
  },
  platform: {
    imports: ['bytes', 'mail', 'ports', 'protocol'],
    node: platformModules,
    packages: ['dns-packet'],
    reach: 'free',
    why: 'the system: sockets, TLS, DNS transport, timers, signals, privileges, syslog',
  },
  pki: {
    imports: ['bytes', 'mail', 'ports'],
    node: ['crypto', 'fs', 'fs/promises', 'path', 'util'],
    packages: [],
    reach: 'free',
    why: 'keys and certificates, and the files they are in',
  },
  config: {
    imports: ['mail'],
    node: ['fs', 'path'],
    packages: ['smol-toml'],
    reach: 'free',
    why: 'each setting declared once, and the file they are read from',
  },
  setup: {
    imports: allButAppAndConsole,
    node: ['fs', 'fs/promises', 'path', 'os'],
    packages: [],
    reach: 'free',
    why: 'set-up and doctor look at everything that serves, and nothing that serves looks at them',
  },
  console: {
    imports: ['mail', 'ports', 'config'],
    node: ['http', 'https'],
    packages: [],
    reach: 'free',
    why: 'a view: it sees the server only through ports',
  },
  app: {
    imports: [...allButAppAndConsole, 'setup', 'console'],
    node: 'any',
    packages: 'any',
    reach: 'free',
    why: 'the only place that constructs things',
  },
}

/** What a test may use beyond its room: it makes its own files, ports and foreign clients. */
export const testNode = (
  'assert assert/strict child_process crypto events fs fs/promises net os path process stream test timers ' +
  'module readline timers/promises tls url util worker_threads'
).split(' ')
export const testPackages = ['fast-check', 'imapflow', 'nodemailer', 'dns-packet', 'smol-toml']

/** Names that reach outside by themselves, and what to use instead of each kind. */
export const outsideNames: Readonly<Record<string, string>> = {
  process: 'the process belongs to platform and app',
  fetch: 'the network belongs to platform',
  WebSocket: 'the network belongs to platform',
  console: 'what happened is a value or a log event',
  setTimeout: 'time comes in as an argument, or by the clock port',
  setInterval: 'time comes in as an argument, or by the clock port',
  setImmediate: 'time comes in as an argument, or by the clock port',
  performance: 'time comes in as an argument, or by the clock port',
}

/** Names that make an answer late; a pure room answers at once. */
export const lateNames: Readonly<Record<string, string>> = {
  Promise: '"need more input" is a returned value, never awaited',
  async: '"need more input" is a returned value, never awaited',
  await: '"need more input" is a returned value, never awaited',
  queueMicrotask: '"need more input" is a returned value, never awaited',
  crypto: 'chance comes in as an argument',
}
