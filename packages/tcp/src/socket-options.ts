import { ConnectivityError, type TcpDestination } from '@sallyport/core'
import { maxIdleMs } from './limits.ts'

/** What the `tcp.*` properties of a destination ask for. */
export interface SocketOptions {
  readonly noDelay: boolean | undefined
  readonly keepAlive: boolean | undefined
  /** Milliseconds without a byte in either direction; `undefined` or 0 for no limit. */
  readonly idleMs: number | undefined
  /** Valid options that Node cannot set on a client socket. */
  readonly ignored: readonly string[]
}

/** @throws ConnectivityError `DESTINATION_INVALID` naming the property that has no usable value. */
export function parseSocketOptions({ name, properties }: TcpDestination): SocketOptions {
  const invalid = (property: string, what: string): ConnectivityError =>
    new ConnectivityError('DESTINATION_INVALID', `destination "${name}": ${property} is not ${what}`, { details: { destination: name } })
  const text = (property: string): string | undefined => (properties[property] === '' ? undefined : properties[property])
  const boolean = (property: string): boolean | undefined => {
    const value = text(property)?.toLowerCase()
    if (value === undefined) return undefined
    if (value !== 'true' && value !== 'false') throw invalid(property, 'true or false')
    return value === 'true'
  }
  const integer = (property: string, min: number): number | undefined => {
    const value = text(property)
    if (value === undefined) return undefined
    const number = /^-?\d{1,10}$/.test(value) ? Number(value) : Number.NaN
    if (!(number >= min && number <= maxIdleMs)) throw invalid(property, `a whole number from ${min} to ${maxIdleMs}`)
    return number
  }
  const unsupported: Readonly<Record<string, unknown>> = {
    'tcp.socket.sndbuf': integer('tcp.socket.sndbuf', 0),
    'tcp.socket.rcvbuf': integer('tcp.socket.rcvbuf', 0),
    'tcp.socket.linger': integer('tcp.socket.linger', -1),
    'tcp.socket.reuseaddr': boolean('tcp.socket.reuseaddr'),
  }
  return {
    noDelay: boolean('tcp.nodelay'),
    keepAlive: boolean('tcp.socket.keepalive'),
    idleMs: integer('tcp.socket.timeout', 0),
    ignored: Object.keys(unsupported).filter((property) => unsupported[property] !== undefined),
  }
}
