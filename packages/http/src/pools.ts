import { createHash } from 'node:crypto'
import type { Principal } from '@sallyport/core'
import type { buildConnector, Pool } from 'undici'
import { answerTimeoutMs, bodyTimeoutMs, idleConnectionMs, maxConnections, maxHeadBytes, maxPrincipals } from './limits.ts'

/**
 * Connections of one client, kept apart by principal. Tenant, location and virtual host are fixed for a client, so that
 * together no connection is ever used for two of any of them: a proxy refuses that, and a backend would take one user for
 * the other.
 */
export interface Pools {
  of(principal: Principal | undefined): Pool
  destroy(): Promise<void>
}

/** What the pools of one client are made with. */
export interface PoolsDeps {
  readonly origin: string
  readonly connectorOf: (principal: Principal | undefined) => buildConnector.connector
  /** undici's, which is loaded when somebody connects. */
  readonly PoolClass: typeof Pool
}

/** Makes the pools of one client; none is opened before its first request. */
export function createPools({ origin, connectorOf, PoolClass }: PoolsDeps): Pools {
  const pools = new Map<string, Pool>()
  return {
    of(principal) {
      const key = keyOf(principal)
      const known = pools.get(key)
      // Taken out and put back: the map stays in the order of use.
      pools.delete(key)
      const pool =
        known ??
        new PoolClass(origin, {
          connect: connectorOf(principal),
          connections: maxConnections,
          pipelining: 1,
          allowH2: false,
          headersTimeout: answerTimeoutMs,
          bodyTimeout: bodyTimeoutMs,
          keepAliveTimeout: idleConnectionMs,
          keepAliveMaxTimeout: idleConnectionMs,
          maxHeaderSize: maxHeadBytes,
        })
      pools.set(key, pool)
      if (pools.size > maxPrincipals) {
        const [oldest] = pools
        if (oldest !== undefined) {
          pools.delete(oldest[0])
          // Lets its requests finish. A failure to close is no failure of the request that made room.
          oldest[1].close().catch(() => {})
        }
      }
      return pool
    },
    async destroy() {
      const all = [...pools.values()]
      pools.clear()
      await Promise.all(all.map((pool) => pool.destroy()))
    },
  }
}

/** By token and not by name: nobody has verified here whose token it is. A renewed token opens new connections. */
function keyOf(principal: Principal | undefined): string {
  if (principal === undefined) return ''
  return `${principal.kind} ${createHash('sha256').update(principal.token.reveal()).digest('base64')}`
}
