/** What the product is to reach in a case: a value, or a ratio to a peer, or to another case, in the same run. */
export type Goal = {
  readonly case: string
  /** Who of ours is meant; {@link product} if absent. */
  readonly of?: string
  /** A peer, in the same case. */
  readonly against?: string
  /** Another case, of ours. */
  readonly againstCase?: string
} & ({ readonly atLeast: number } | { readonly atMost: number })

/** The name under which the product takes part. */
export const product = 'sallyport'

/** Of the design; `docs/performance.md` says where the product stands. */
export const goals: readonly Goal[] = [
  { case: 'bulk1', against: 'rathole', atLeast: 1.15 },
  { case: 'bulk1', against: 'chisel', atLeast: 3 },
  { case: 'bulk16', against: 'rathole', atLeast: 1.15 },
  { case: 'bulk16', against: 'chisel', atLeast: 2.5 },
  { case: 'setups', against: 'rathole', atLeast: 4 },
  { case: 'setups', against: 'chisel', atLeast: 1 },
  { case: 'setups', against: 'ssh', atLeast: 7 },
  { case: 'requests', against: 'rathole', atLeast: 0.95 },
  { case: 'requests', against: 'chisel', atLeast: 1.8 },
  { case: 'rtt', against: 'ssh', atMost: 1.05 },
  { case: 'http', against: 'nginx', atLeast: 0.85 },
  { case: 'http-propagated', againstCase: 'http-tls', atLeast: 0.95 },
  // Both of these give every stream a connection of its own.
  { case: 'beside', against: 'haproxy', atMost: 1.1 },
  { case: 'beside', against: 'rathole', atMost: 1.1 },
  // Memory as applications cause it: behind the entry point.
  { case: 'idle', of: 'sallyport-socks', atMost: 24 },
  { case: 'stalled', of: 'sallyport-socks', atMost: 512 },
  // 95 % of a link of 25 MB/s.
  { case: 'bulk-long', atLeast: 23.75 },
]
