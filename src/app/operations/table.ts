import {
  accountAdd,
  accountLanguage,
  accountList,
  accountPassword,
  accountQuota,
  accountRemove,
} from './account.ts'
import { aliasAdd, aliasList, aliasRemove, aliasSet } from './alias.ts'
import { backup } from './backup.ts'
import { check } from './check.ts'
import { checkMessage } from './check-message.ts'
import { dkimList, dkimRotate, dkimShow } from './dkim.ts'
import { dmarcReport } from './dmarc-report.ts'
import { mailShow } from './mail.ts'
import type { Operation } from './operation.ts'
import { quarantineDelete, quarantineList, quarantineRelease, quarantineShow } from './quarantine.ts'
import { quarantineTrust } from './quarantine-trust.ts'
import { queueCancel, queueList, queueRetry, queueShow } from './queue.ts'
import { selftest } from './selftest.ts'
import { submit } from './submit.ts'
import { trace } from './trace.ts'
import { trustAdd, trustList, trustRemove } from './trust.ts'
import { trustImport } from './trust-import.ts'
import { why } from './why.ts'

/** Every operation by the name under which the control socket knows it. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['account.add', accountAdd],
  ['account.language', accountLanguage],
  ['account.list', accountList],
  ['account.password', accountPassword],
  ['account.quota', accountQuota],
  ['account.remove', accountRemove],
  ['alias.add', aliasAdd],
  ['alias.list', aliasList],
  ['alias.remove', aliasRemove],
  ['alias.set', aliasSet],
  ['check', check],
  ['check-message', checkMessage],
  ['backup', backup],
  ['dkim.list', dkimList],
  ['dkim.rotate', dkimRotate],
  ['dkim.show', dkimShow],
  ['dmarc.report', dmarcReport],
  ['mail.show', mailShow],
  ['quarantine.delete', quarantineDelete],
  ['quarantine.list', quarantineList],
  ['quarantine.release', quarantineRelease],
  ['quarantine.show', quarantineShow],
  ['quarantine.trust', quarantineTrust],
  ['queue.cancel', queueCancel],
  ['queue.list', queueList],
  ['queue.retry', queueRetry],
  ['queue.show', queueShow],
  ['selftest', selftest],
  ['submit', submit],
  ['trace', trace],
  ['trust.add', trustAdd],
  ['trust.import', trustImport],
  ['trust.list', trustList],
  ['trust.remove', trustRemove],
  ['why', why],
])
