import { join } from 'node:path'
import { type ControlHandler, serveControl } from '../../platform/control-server.ts'
import { CONTROL_LIMITS } from '../../platform/limits.ts'
import type { OperationArgs } from '../operations/operation.ts'
import { OPERATIONS } from '../operations/table.ts'
import type { Server } from './server.ts'

/** Where the running server is reached; in the data folder, which is its user's alone. */
export const controlPath = (dataFolder: string): string => join(dataFolder, 'control.sock')

/** Opens the control socket: every operation by its name, and `reload`. */
export async function serveOperations(
  dataFolder: string,
  server: Server,
): Promise<
  { readonly ok: true; close(): Promise<void> } | { readonly ok: false; readonly sentence: string }
> {
  const handlers: Record<string, ControlHandler> = {}
  for (const name of [...OPERATIONS.keys(), 'reload'])
    handlers[name] = (args, output) => server.run(name, objectArgs(args), output)
  const served = await serveControl(controlPath(dataFolder), handlers, server.house.ports.log, {
    // The largest message, in base64, with what belongs to it.
    requestBytes: Math.ceil((server.config.smtp.max_message * 4) / 3) + CONTROL_LIMITS.smallRequestBytes,
    memory: server.memory,
  })
  return served.ok ? { ok: true, close: () => served.server.close() } : served
}

function objectArgs(args: unknown): OperationArgs {
  return typeof args === 'object' && args !== null && !Array.isArray(args) ? (args as OperationArgs) : {}
}
