// Loaded by `--import` into a server that must fail its proof: changes one place of the source as it is read, so that
// the harness is seen to find what it is there to find. HIKYAKU_MUTATION names the change.

import { registerHooks } from 'node:module'

interface Mutation {
  /** The end of the file's path. */
  readonly file: string
  readonly from: string
  readonly to: string
}

const mutations: Readonly<Record<string, Mutation>> = {
  'answer-before-commit': {
    file: '/src/store/sqlite/intake.ts',
    from: 'const outcome = await this.#writer.call<readonly [number, string, number][]>(operation, blobs)',
    to: `void this.#writer.call(operation, blobs)
    const outcome = { ok: true as const, value: [] as readonly (readonly [number, string, number])[] }`,
  },
}

const name = process.env.HIKYAKU_MUTATION ?? ''
const mutation = mutations[name]
if (mutation === undefined) throw new Error(`HIKYAKU_MUTATION: there is no ${name}`)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.endsWith(mutation.file)) return loaded
    const source = String(loaded.source)
    // A place that has changed since must not make the proof pass for nothing.
    if (!source.includes(mutation.from)) throw new Error(`${mutation.file} has no place for ${name}`)
    return { ...loaded, source: source.replace(mutation.from, mutation.to) }
  },
})
