import { evaluate } from '../../mailauth/evaluate.ts'
import { ParsedKeys } from '../../mailauth/parsed-keys.ts'
import { sign } from '../../mailauth/sign.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Engine } from './engine.ts'
import { sealMessage } from './seal-message.ts'

/** The engine that judges, seals and signs. */
export function makeEngine(clock: Clock): Engine {
  const keys = new ParsedKeys()
  return {
    async evaluate(message, facts, { dns, sealWith }) {
      const evidence = await evaluate(message, facts, { dns, clock, keys })
      if (sealWith === undefined) return { evidence, seal: '' }
      const parts = { evidence, facts, key: sealWith, nowMs: clock.now() }
      return { evidence, seal: await sealMessage(message, parts) }
    },
    sign: (message, added, keys) => sign({ content: message.pieces(), added, keys, nowMs: clock.now() }),
  }
}
