// How the message of each row comes about: as composed, signed as it was, and broken by a list where it was.

import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runWell } from '../harness/run.ts'
import type { Letter } from './session.ts'
import type { Row } from './transcripts.ts'

/** The selector of the key that stands in for the chain's own, whose private half is not in the record. */
const ownSelector = 'table'
/** Domains that the key must be published for: rows that were signed and whose signature is not in the record. */
const ownDomains = ['strict', 'bigmail', 'quar', 'bsdlist']
/** These rows sign with a selector that says something of the key. */
const selectors: Readonly<Record<string, string>> = { B38: 'tempkey', B39: 'revoked' }
/** A list put its tag and its footer on these after they were signed; B52's record is of the message before. */
const throughList: ReadonlySet<string> = new Set(['B50', 'B51', 'B52', 'I01', 'I03'])

export interface Signer {
  /** To be added to the zone. */
  readonly zone: string
  /** The field, for a message whose lines end in LF. By dkimpy: a signer of our own could agree with our own mistakes. */
  sign(message: string, domain: string, selector?: string): Promise<string>
}

export function makeSigner(folder: string): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const keyFile = join(folder, 'table.key')
  writeFileSync(keyFile, createPrivateKey(privateKey).export({ type: 'pkcs1', format: 'pem' }))
  const record = `v=DKIM1; k=rsa; p=${publicKey.toString('base64')}`
  const strings = record.match(/.{1,250}/g)?.map((part) => `"${part}"`) ?? []
  return {
    zone: ownDomains
      .map((domain) => `${ownSelector}._domainkey.${domain} 60 IN TXT ${strings.join(' ')}\n`)
      .join(''),
    sign: async (message, domain, selector = ownSelector) => {
      const signed = await runWell('/usr/bin/dkimsign', [selector, domain, keyFile], {
        input: Buffer.from(message.replaceAll('\n', '\r\n'), 'latin1'),
      })
      const field = /^DKIM-Signature:.*\r?\n(?:[ \t].*\r?\n)*/.exec(signed.stdout.toString('latin1'))?.[0]
      if (field === undefined) throw new Error(`dkimsign made no signature: ${signed.stdout.toString()}`)
      return field.replaceAll('\r\n', '\n')
    },
  }
}

/** The row's letter, as the real chain got it. */
export async function letterOf(row: Row, signer: Signer): Promise<Letter> {
  const { composed } = row
  if (composed === undefined || row.client === undefined || row.helo === undefined)
    throw new Error(`${row.id} has no message in the record`)
  const selector = selectors[row.id]
  let signature = ''
  if (row.signedBy !== undefined)
    signature = row.signature ?? (await signer.sign(composed, row.signedBy, selector))
  const message = throughList.has(row.id) ? brokenByList(composed) : composed
  return {
    ...{ client: row.client, helo: row.helo },
    // B36 and B41 were refused at MAIL there.
    mail: row.mail ?? '<>',
    recipients: row.recipients.length > 0 ? row.recipients : ['<pokemon@jf3vqb.test>'],
    message: signature + message,
  }
}

export function brokenByList(message: string): string {
  const tagged = message.replace(/^Subject: /m, 'Subject: [freebsd-users] ')
  return `${tagged}-- \nfreebsd-users mailing list\n`
}
