import { Bug } from '../src/mail/assert.ts'
import { MECHANISMS } from '../src/protocol/sasl/mechanisms.ts'
import { ServerExchange } from '../src/protocol/sasl/server.ts'
import type { ServerStep } from '../src/protocol/sasl/server-step.ts'

/** A hostile client against each mechanism: the first octet picks it, LF parts the answers. */
export const name = 'sasl-server'

export const corpus: readonly string[] = [
  '\u0000p=tls-exporter,,n=user,r=abc\nc=cD10bHMtZXhwb3J0ZXIsLA==,r=abcMDEyMzQ1Njc4OWFiY2RlZmdo,p=AAAA\n',
  '\u0001n,,n=user,r=abc\nc=biws,r=abcMDEyMzQ1Njc4OWFiY2RlZmdo,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=\n',
  '\u0001n,a=us=2Cer,n=us=2Cer,r=abc,x=y\n',
  '\u0003y,,n=user,r=abc\nc=eSws,r=abcMDEyMzQ1Njc4OWFiY2RlZmdo,p=AAAA\n\n',
  '\u0004\u0000user\u0000password\n',
  '\u0005user\npassword\n',
]

const random = Buffer.from('0123456789abcdefgh')
const binding = Buffer.from('a binding')

export function fuzz(input: Uint8Array): void {
  const mechanism = MECHANISMS[(input[0] ?? 0) % MECHANISMS.length]
  if (mechanism === undefined) throw new Bug('no mechanism')
  const bindings = new Map([['tls-exporter', binding]] as const)
  const exchange = new ServerExchange({ mechanism, bindings, plusOffered: true, random })
  let step: ServerStep = exchange.start()
  for (const line of lines(input.subarray(1))) {
    if (step.kind !== 'challenge') break
    step = answer(exchange, exchange.respond(line))
  }
  if (step.kind === 'done' && step.ok) throw new Bug('logged in without a password')
}

function answer(exchange: ServerExchange, step: ServerStep): ServerStep {
  if (step.kind === 'ask-password') {
    if (/[\u0000-\u001f]/.test(step.login)) throw new Bug('a login with control characters')
    return exchange.passwordChecked(false)
  }
  if (step.kind !== 'ask-scram') return step
  if (/[\u0000-\u001f]/.test(step.login)) throw new Bug('a login with control characters')
  const octets = Buffer.alloc(step.hash === 'SHA-1' ? 20 : 32, 1)
  const keys = { hash: step.hash, salt: octets, iterations: 4096, storedKey: octets, serverKey: octets }
  return exchange.scramKeys([keys])
}

function* lines(input: Uint8Array): Generator<Uint8Array> {
  let from = 0
  for (let i = 0; i <= input.length; i++)
    if (i === input.length || input[i] === 0x0a) {
      yield input.subarray(from, i)
      from = i + 1
    }
}
