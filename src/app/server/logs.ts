import { hostname } from 'node:os'
import { dirname, isAbsolute, resolve } from 'node:path'
import type { Config } from '../../config/settings.ts'
import { systemClock } from '../../platform/clock.ts'
import { type LogRoute, RoutedLog } from '../../platform/log.ts'
import { FileSink } from '../../platform/log-file.ts'
import type { LogSink } from '../../platform/log-sink.ts'
import { makeSyslogSink } from '../../platform/log-syslog.ts'

const PROGRAM = 'hikyaku'

export type OpenedLog =
  | { readonly ok: true; readonly log: RoutedLog }
  | { readonly ok: false; readonly sentence: string }

/** @param configFile relative paths of log files start from its folder. */
export function openLog(config: Config, configFile: string): OpenedLog {
  const routes = logRoutes(config, configFile)
  if (!routes.ok) return routes
  const origin = { host: hostname().split('.')[0] as string, program: PROGRAM, pid: process.pid }
  return { ok: true, log: new RoutedLog({ clock: systemClock(), origin, routes: routes.routes }) }
}

/** After a reload: the new destinations, or the old ones opened again. A destination that can't be had leaves the old ones. */
export function reopenLog(log: RoutedLog, config: Config, configFile: string): void {
  const routes = logRoutes(config, configFile)
  if (routes.ok) void log.change(routes.routes)
  else log.event('log.problem', { cause: routes.sentence })
}

function logRoutes(
  config: Config,
  configFile: string,
):
  | { readonly ok: true; readonly routes: readonly LogRoute[] }
  | { readonly ok: false; readonly sentence: string } {
  const { to, imap_to, format, level } = config.log
  const opened: LogRoute[] = []
  for (const [where, facilities] of [
    [to, imap_to === undefined ? undefined : (['mail', 'auth', 'daemon'] as const)],
    [imap_to, ['imap'] as const],
  ] as const) {
    if (where === undefined) continue
    const sink = openSink(where, format, { config, configFile })
    if (typeof sink === 'string') return { ok: false, sentence: sink }
    opened.push({ sink, facilities, level })
  }
  return { ok: true, routes: opened }
}

/** The sink, or why there is none. */
function openSink(
  where: string,
  form: 'classic' | 'json',
  at: { readonly config: Config; readonly configFile: string },
): LogSink | string {
  if (where === 'syslog') {
    const { syslog_facility, imap_syslog_facility } = at.config.log
    return makeSyslogSink({
      via: 'logger',
      program: PROGRAM,
      pid: process.pid,
      facilities: { mail: syslog_facility, imap: imap_syslog_facility },
    })
  }
  if (where === 'stderr') return openFile(2, form)
  return openFile(isAbsolute(where) ? where : resolve(dirname(at.configFile), where), form)
}

function openFile(to: string | 2, form: 'classic' | 'json'): LogSink | string {
  try {
    // Into the log itself it may not come; standard error is what the service manager keeps.
    return FileSink.open({ to, form, onProblem: (sentence) => void process.stderr.write(`${sentence}\n`) })
  } catch (error) {
    return `The log file ${to} cannot be opened (${(error as NodeJS.ErrnoException).code}); see log.to and log.imap_to.`
  }
}
