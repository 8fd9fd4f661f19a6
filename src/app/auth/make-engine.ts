import { evaluate } from '../../mailauth/evaluate.ts'
import { sign } from '../../mailauth/sign.ts'
import { systemClock } from '../../platform/clock.ts'
import type { Engine } from './engine.ts'

/** The engine that judges and signs. */
export function makeEngine(): Engine {
  const clock = systemClock()
  return {
    async evaluate(message, facts, { dns }) {
      return { evidence: await evaluate(message, facts, { dns, clock }), seal: '' }
    },
    sign: (message, added, keys) => sign({ content: message.pieces(), added, keys, nowMs: Date.now() }),
  }
}
