import { userInfo } from 'node:os'
import { type Access, openLocalSession } from '@sallyport/connector-administration'
import type { ControlHandler } from '../control/control-server.ts'

/** How a command of the same operating-system user administers a connector that runs on this machine, without a password. */
export interface ConnectorSession {
  readonly url: string
  /** PEM of the only certificate that the address shows. */
  readonly certificate: string
  readonly cookie: string
  readonly token: string
}

/** Answers whoever can read the control record, which is the owner of the data folder: its files would let him do everything as well (ADR 0032). */
export function sessionControl(access: Access, address: () => { readonly host: string; readonly port: number }): ControlHandler {
  return async ({ logOn }) => {
    const { host, port } = address()
    const shown = { url: `https://${reachable(host)}:${port}`, certificate: access.tls().certificate }
    // With a password of his own, a caller wants the address alone.
    return logOn === false ? shown : ({ ...shown, ...openLocalSession(access, userName()) } satisfies ConnectorSession)
  }
}

/** The address of this machine by which a listener can be reached. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A user that is nothing but a number, as in containers.
    return String(process.getuid?.() ?? 'unknown')
  }
}
