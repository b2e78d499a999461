import { isIP } from 'node:net'

/** Whether a listener on that host is out of reach for other machines. Names other than `localhost` count as reachable. */
export function isLoopbackHost(host: string): boolean {
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1' || host === 'localhost'
}
