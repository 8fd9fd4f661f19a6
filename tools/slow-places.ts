/** Whether a slow suite runs among real programs, in namespaces of its own without a way out: by test/slow.sh. */
export function needsNamespaces(file: string): boolean {
  return /^test\/(?:harness|interop|chain|faults)\//.test(file)
}
