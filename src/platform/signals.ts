/** What the operator asks by signal. */
export interface SignalActions {
  /** SIGTERM, SIGINT: finish what is in hand, then end. */
  stop(signal: string): void
  /** The same signal again: end now. */
  stopNow(signal: string): void
  /** SIGHUP: read the configuration and the certificates again, reopen the logs. */
  reload(): void
  /** SIGUSR1: reopen the logs only. Handling it also keeps Node from opening its debugger on it. */
  reopenLogs(): void
}

/** @returns the function that takes the handlers off again. */
export function onSignals(actions: SignalActions): () => void {
  let stopping = false
  const stop = (signal: string) => {
    if (stopping) actions.stopNow(signal)
    else {
      stopping = true
      actions.stop(signal)
    }
  }
  const handlers: readonly (readonly [NodeJS.Signals, (signal: string) => void])[] = [
    ['SIGTERM', stop],
    ['SIGINT', stop],
    ['SIGHUP', () => actions.reload()],
    ['SIGUSR1', () => actions.reopenLogs()],
  ]
  for (const [signal, handler] of handlers) process.on(signal, handler)
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler)
  }
}
