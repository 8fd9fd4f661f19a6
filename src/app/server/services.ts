import { fromLatin1 } from '../../bytes/ascii.ts'
import type { Config } from '../../config/settings.ts'
import type { PipelinePorts } from '../../pipeline/ports.ts'
import type { Peer } from '../../platform/peer.ts'
import type { Service } from '../../platform/serve.ts'
import type { SessionHandler } from '../../platform/session-handler.ts'
import type { ServerTls } from '../../platform/tls.ts'
import type { Credentials } from '../../ports/credentials.ts'
import type { Mailboxes } from '../../ports/mailboxes.ts'
import { IMAP_LIMITS } from '../../protocol/imap/limits.ts'
import { ImapServer } from '../../protocol/imap/server.ts'
import type { ImapAnswer, ImapAsk, ImapTell } from '../../protocol/imap/types.ts'
import { smtpServer } from '../../protocol/smtp/server.ts'
import type { ServerAnswer, ServerAsk, ServerTell } from '../../protocol/smtp/types.ts'
import { ImapSession } from '../../session/imap/session.ts'
import { type ServedRole, termsOf } from '../../session/smtp/roles.ts'
import { SmtpSession, type SmtpSessionDeps } from '../../session/smtp/session.ts'
import type { SelfTests } from '../selftest/self-tests.ts'
import { smtpSettings } from '../settings.ts'
import type { Port } from './listeners.ts'

export interface ServiceParts {
  readonly config: () => Config
  readonly tls: () => ServerTls | undefined
  readonly pipeline: PipelinePorts
  readonly selfTests?: SelfTests | undefined
  readonly mailboxes: Mailboxes
  readonly credentials: Credentials
  /** Sessions that stand, to be stopped. */
  readonly sessions: Set<Stoppable>
}

export interface Stoppable {
  stop(): void
}

/** A handler that leaves the set of sessions when its connection is gone. */
function tracked<Ask, Tell, Answer>(
  session: SessionHandler<Ask, Tell, Answer> & Stoppable,
  sessions: Set<Stoppable>,
): SessionHandler<Ask, Tell, Answer> {
  sessions.add(session)
  return {
    attached: (connection) => session.attached(connection),
    ask: (ask) => session.ask(ask),
    tell: (tell) => session.tell(tell),
    shed: () => session.shed?.() ?? false,
    closed(reason) {
      sessions.delete(session)
      session.closed(reason)
    },
  }
}

export function smtpService(
  port: Port,
  role: ServedRole,
  parts: ServiceParts,
): Service<ServerAsk, ServerTell, ServerAnswer> {
  return {
    ...common(port, 'smtp', parts, '421 4.7.0 Too many connections; try again later\r\n'),
    session(peer: Peer) {
      const settings = smtpSettings(parts.config())
      const terms = termsOf(role, peer, {
        settings,
        credentials: parts.credentials,
        tlsReady: parts.tls() !== undefined,
      })
      const machine = smtpServer(terms.options)
      const deps = {
        pipeline: parts.pipeline,
        pipelineFor: role === 'mx' ? selfTested(parts) : undefined,
        credentials: parts.credentials,
        defaultDomain: () => smtpSettings(parts.config()).defaultDomain,
      }
      return {
        machine,
        handler: tracked(new SmtpSession(deps, { role, client: peer, machine, terms }), parts.sessions),
      }
    },
  }
}

/** Other servers' mail, and what a self-test sends as if it were that. */
function selfTested({ selfTests, pipeline }: ServiceParts): SmtpSessionDeps['pipelineFor'] {
  return selfTests && ((sender) => selfTests.pipelineFor(pipeline, sender))
}

export function imapService(port: Port, parts: ServiceParts): Service<ImapAsk, ImapTell, ImapAnswer> {
  const { pipeline, mailboxes, credentials } = parts
  const { intake, clock, random, log } = pipeline
  return {
    ...common(port, 'imap', parts, '* BYE [UNAVAILABLE] Too many connections; try again later\r\n'),
    session(peer: Peer) {
      const { max_message } = parts.config().smtp
      const limits = {
        appendOctets: max_message,
        discardOctets: Math.max(IMAP_LIMITS.discardOctets, 2 * max_message),
      }
      const machine = new ImapServer({
        limits,
        literals: 'LITERAL+',
        tls: peer.tls,
        nowMs: clock.monotonic(),
      })
      const deps = {
        mailboxes,
        intake,
        credentials,
        clock,
        random,
        log,
        settings: () => ({ maxMessageBytes: parts.config().smtp.max_message }),
        tlsReady: parts.tls() !== undefined,
      }
      return { machine, handler: tracked(new ImapSession(deps, peer, machine), parts.sessions) }
    },
  }
}

function common(port: Port, protocol: string, parts: ServiceParts, tooMany: string) {
  return {
    protocol,
    implicitTls: port.implicitTls,
    door: port.serves === 'mx' ? ('mx' as const) : ('own' as const),
    tls: parts.tls,
    proxyFrom: parts.config().listen.proxy_from,
    tooMany: fromLatin1(tooMany),
  }
}
