import type { PipelinePorts } from '../pipeline/ports.ts'
import type { OperationPorts } from './operations/operation.ts'
import { pipelineSettings } from './settings.ts'

/** What the pipeline works with, of a server or of a command. */
export function pipelinePorts(ports: OperationPorts): PipelinePorts {
  const { intake, directory, mailAuth, trust, dkim, clock, random, log } = ports
  return {
    ...{ intake, directory, mailAuth, trust, clock, random, log },
    signingKeys: dkim,
    settings: () => pipelineSettings(ports.config()),
  }
}
