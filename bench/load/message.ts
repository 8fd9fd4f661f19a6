// The mail that the benchmark sends: a plain and an HTML part, words by chance from a fixed seed, every one with a
// Message-ID of its own (Cyrus drops what it has delivered before).

import { Buffer } from 'node:buffer'
import { numbersOf } from '../../tools/numbers.ts'

const words =
  'the a of to and in that is was he for it with as his on be at by I this had not are but from or have an they which one you were her all she there would their we him been has when who will more no if out so said what up its about into than them can only other new some could time these two may then do first any my now such like our over man me even most made after also did many before must through'.split(
    ' ',
  )
const idDigits = 12
const idMark = 'Message-ID: <'

/** A message of exactly `sizeBytes` octets (1,500 at least) with CRLF ends, no line of it starting with a dot. */
export function makeMessage(seed: number, sizeBytes: number): Buffer {
  const next = numbersOf(seed)
  const boundary = `=_${Math.floor(next() * 1e9)}`
  const sender = `person${Math.floor(next() * 500)}`
  const head = [
    `Received: from relay.far.example (relay.far.example [192.0.2.7]) by out.far.example with ESMTPS id ${seed}; Tue, 2 Jan 2024 10:00:00 +0900`,
    `From: "Person ${sender}" <${sender}@far.example>`,
    'To: "A Reader" <reader@example.test>',
    `Subject: ${text(next, 40).trimEnd()}`,
    'Date: Tue, 2 Jan 2024 10:00:00 +0900',
    `${idMark}${'0'.repeat(idDigits)}.${seed}@far.example>`,
    `References: <thread-${Math.floor(next() * 300)}@far.example>`,
    'MIME-Version: 1.0',
    `Content-Type: multipart/alternative; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    ...lines(next, Math.floor(sizeBytes / 8)),
    `--${boundary}`,
    'Content-Type: text/html; charset=utf-8',
    '',
    '<html><body><p>',
    '',
  ].join('\r\n')
  const tail = `</p></body></html>\r\n--${boundary}--\r\n`
  const room = sizeBytes - head.length - tail.length
  if (room < 2) throw new RangeError(`a message needs 1,500 octets, not ${sizeBytes}`)
  // More than enough, since lines end at a word or before it; the last one is cut so that the size is exact.
  const filling = lines(next, room * 1.2 + 200)
    .join('\r\n')
    .slice(0, room - 2)
    .replace(/[\r\n]+$/, (end) => 'x'.repeat(end.length))
  return Buffer.from(`${head}${filling}\r\n${tail}`, 'latin1')
}

/** Writes `number` into the Message-ID, in place. */
export function stampId(message: Buffer, number: number): void {
  const at = message.indexOf(idMark) + idMark.length
  message.write(String(number).padStart(idDigits, '0'), at, idDigits, 'latin1')
}

function lines(next: () => number, octets: number): string[] {
  const all: string[] = []
  for (let sum = 0; sum < octets; sum += 74) all.push(text(next, 72).trimEnd())
  return all
}

function text(next: () => number, octets: number): string {
  let line = ''
  while (line.length < octets) line += `${words[Math.floor(next() * words.length)]} `
  return line.slice(0, octets)
}
