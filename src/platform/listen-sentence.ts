import type { ListenAt } from './listen-at.ts'
import { errorCode, errorText } from './socket-events.ts'

/** One sentence for the operator: which port, why not, what to do. */
export function listenSentence(
  at: ListenAt,
  setting: string,
  error: unknown,
): { readonly sentence: string; readonly code: string | undefined } {
  const code = errorCode(error)
  const sentence =
    at.kind === 'tcp' ? tcpSentence(at, setting, code, error) : unixSentence(at, setting, code, error)
  return { sentence, code }
}

function tcpSentence(
  at: Extract<ListenAt, { kind: 'tcp' }>,
  setting: string,
  code: string | undefined,
  error: unknown,
): string {
  const what = `Port ${at.port} on ${at.address} can't be opened`
  switch (code) {
    case 'EADDRINUSE':
      return `${what}: another program has it (EADDRINUSE). "ss -ltnp sport = :${at.port}" names it: stop it, or set another port with ${setting}.`
    case 'EACCES':
    case 'EPERM':
      return `${what}: ports below 1024 need a right that this user does not have (${code}). Start as root with server.user naming whom to become (the server gives root up for that user), or with CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE), or set a port from 1024 up with ${setting}.`
    case 'EADDRNOTAVAIL':
      return `${what}: this machine does not have the address (EADDRNOTAVAIL). "ip address" shows those it has; correct ${setting}.`
    case 'EAFNOSUPPORT':
      return `${what}: the system has no ${at.address.includes(':') ? 'IPv6' : 'IPv4'} (EAFNOSUPPORT). Remove the address from ${setting}.`
    default:
      return `${what}: ${errorText(error)}. See ${setting}.`
  }
}

function unixSentence(
  at: Extract<ListenAt, { kind: 'unix' }>,
  setting: string,
  code: string | undefined,
  error: unknown,
): string {
  const what = `Socket ${at.path} can't be opened`
  switch (code) {
    case 'EADDRINUSE':
      return `${what}: another server answers there (EADDRINUSE). Stop it, or set another path with ${setting}.`
    case 'ENOTSOCK':
      return `${what}: there is a file that is no socket. Move it away, or set another path with ${setting}.`
    case 'ENAMETOOLONG':
      return `${what}: ${errorText(error)}. Set a shorter path with ${setting}.`
    case 'ENOENT':
      return `${what}: its folder does not exist (ENOENT). Make it, or set another path with ${setting}.`
    case 'EACCES':
    case 'EPERM':
      return `${what}: this user may not write in its folder (${code}). Give it the folder, or set another path with ${setting}.`
    default:
      return `${what}: ${errorText(error)}. See ${setting}.`
  }
}
