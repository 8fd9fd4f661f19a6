import type { Config } from '../config/settings.ts'
import type { PolicySettings } from '../pipeline/policy/settings.ts'
import type { PipelineSettings } from '../pipeline/ports.ts'
import type { HopPolicy } from '../ports/deliverer.ts'
import type { QueueSettings } from '../queue/settings.ts'
import type { SmtpSettings } from '../session/smtp/settings.ts'
import type { DirectorySettings } from '../store/directory.ts'

/* The configuration as each room wants to see it: rooms know nothing of sections and keys. */

export function directorySettings(config: Config): DirectorySettings {
  const { names, separator, postmaster } = config.domains
  return { domains: names, separator, postmaster }
}

export function pipelineSettings(config: Config): PipelineSettings {
  return {
    hostname: config.server.hostname,
    maxMessageBytes: config.smtp.max_message,
    maxReceived: config.smtp.max_received,
    testDomain: config.domains.test_domain,
    trustedFrom: config.submission.trusted_from,
    policy: policySettings(config),
    junkDomains: config.quarantine.junk_domains,
    holdMs: config.quarantine.keep,
  }
}

function policySettings({ policy, server }: Config): PolicySettings {
  return {
    authservId: policy.authserv_id ?? server.hostname,
    reject: policy.reject,
    requiredHeaders: policy.required_headers,
    multiValueFrom: policy.multi_value_from,
    exemptNetworks: policy.exempt_networks,
    secondaries: policy.secondaries,
    receivedSpf: policy.received_spf,
    holdQuarantine: policy.hold_quarantine,
  }
}

/** The domains that are signed for. */
export function dkimDomains({ dkim, domains }: Config): readonly string[] {
  if (!dkim.sign) return []
  return dkim.domains.length > 0 ? dkim.domains : domains.names
}

export function smtpSettings(config: Config): SmtpSettings {
  return {
    hostname: config.server.hostname,
    defaultDomain: config.domains.names[0] ?? config.server.hostname,
    maxMessageBytes: config.smtp.max_message,
    maxRecipients: config.smtp.max_recipients,
    bareNewlines: config.smtp.bare_newlines,
    greetingDelayMs: config.smtp.greeting_delay,
    trustedNetworks: config.submission.trusted_networks,
    plainTextOnLoopback: config.auth.plain_text_on_loopback,
  }
}

/**
 * @param own where our own MX port is, for the test domain; undefined where it is not open on this machine.
 * @param password of the smarthost.
 */
export function queueSettings(
  config: Config,
  own: { readonly address: string; readonly port: number } | undefined,
  password: string | undefined,
): QueueSettings {
  const { outbound, domains, server } = config
  const fixedRoutes = new Map<
    string,
    { hops: { name: string; address: string; port: number }[]; policy: HopPolicy }
  >()
  if (domains.test_domain !== undefined && own !== undefined) {
    fixedRoutes.set(domains.test_domain, {
      hops: [{ name: server.hostname, ...own }],
      policy: { tls: 'opportunistic' },
    })
  }
  return {
    hostname: server.hostname,
    retry: {
      retryAfterMs: outbound.retry_after,
      giveUpAfterMs: outbound.give_up_after,
      tellDelayAfterMs: outbound.tell_delay_after,
    },
    route: { hostname: server.hostname, port: outbound.port, ip: outbound.ip },
    maxConnections: outbound.max_connections,
    smarthost:
      outbound.smarthost === undefined
        ? undefined
        : { ...outbound.smarthost, policy: smarthostPolicy(config, password) },
    fixedRoutes,
  }
}

function smarthostPolicy({ outbound }: Config, password: string | undefined): HopPolicy {
  const auth =
    outbound.smarthost_user === undefined || password === undefined
      ? undefined
      : { user: outbound.smarthost_user, password }
  return { tls: outbound.smarthost_tls, auth }
}
