import type { AccountError } from '../../ports/accounts.ts'

/** Why accounts or aliases could not be changed, as a sentence. */
export function accountProblem(error: AccountError): string {
  switch (error.kind) {
    case 'exists':
      return `${error.what} is there already.`
    case 'no-such-account':
      return `There is no account ${error.what}.`
    case 'no-such-alias':
      return `There is no alias ${error.what}.`
    case 'not-empty':
      return `${error.what} still holds mail.`
    case 'bad-target':
      return `${error.what} is no address that mail can go to.`
    case 'full':
      return `The disk is full; nothing was changed (${error.what}).`
    case 'io':
    case 'closed':
      return `The mail store could not write; nothing was changed (${error.what}).`
  }
}
