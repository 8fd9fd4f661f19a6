import type { ImapCommand } from './command.ts'

/** rfc3501 §3. */
export type ImapState = 'not-authenticated' | 'authenticated' | 'selected' | 'logout'

const ANY: readonly ImapState[] = ['not-authenticated', 'authenticated', 'selected']
const BEFORE_LOGIN: readonly ImapState[] = ['not-authenticated']
const LOGGED_IN: readonly ImapState[] = ['authenticated', 'selected']
const SELECTED: readonly ImapState[] = ['selected']

/** In which states a command is allowed (rfc3501 §6). */
export const ALLOWED_IN: Readonly<Record<ImapCommand['kind'], readonly ImapState[]>> = {
  append: LOGGED_IN,
  authenticate: BEFORE_LOGIN,
  capability: ANY,
  check: SELECTED,
  close: SELECTED,
  copy: SELECTED,
  create: LOGGED_IN,
  delete: LOGGED_IN,
  enable: LOGGED_IN,
  examine: LOGGED_IN,
  expunge: SELECTED,
  fetch: SELECTED,
  id: ANY,
  idle: LOGGED_IN,
  list: LOGGED_IN,
  login: BEFORE_LOGIN,
  logout: ANY,
  lsub: LOGGED_IN,
  move: SELECTED,
  namespace: LOGGED_IN,
  noop: ANY,
  rename: LOGGED_IN,
  search: SELECTED,
  select: LOGGED_IN,
  starttls: BEFORE_LOGIN,
  status: LOGGED_IN,
  store: SELECTED,
  subscribe: LOGGED_IN,
  unselect: SELECTED,
  unsubscribe: LOGGED_IN,
}

type Transition = { readonly OK?: ImapState; readonly NO?: ImapState }

/** Which commands move the connection on. A SELECT that fails leaves nothing selected (rfc3501 §6.3.1). */
const TRANSITIONS: Readonly<Partial<Record<ImapCommand['kind'], Transition>>> = {
  authenticate: { OK: 'authenticated' },
  close: { OK: 'authenticated' },
  examine: { OK: 'selected', NO: 'authenticated' },
  login: { OK: 'authenticated' },
  logout: { OK: 'logout' },
  select: { OK: 'selected', NO: 'authenticated' },
  unselect: { OK: 'authenticated' },
}

/** The state after a command's completion. BAD never moves. */
export function stateAfter(
  state: ImapState,
  command: ImapCommand['kind'],
  status: 'OK' | 'NO' | 'BAD',
): ImapState {
  if (status === 'BAD') return state
  return TRANSITIONS[command]?.[status] ?? state
}

/**
 * Commands by sequence number during which no EXPUNGE may be sent, since the numbers the client used would
 * shift under it (rfc3501 §7.4.1).
 */
export function forbidsExpunge(command: ImapCommand): boolean {
  return (command.kind === 'fetch' || command.kind === 'store' || command.kind === 'search') && !command.uid
}
