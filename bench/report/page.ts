import type { Report } from '../results.ts'

export function writePage(_report: Report): string[] {
  return []
}
