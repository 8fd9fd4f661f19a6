import type { Finding } from './finding.ts'

export function checkParsers(_root: string): Finding[] {
  return []
}
