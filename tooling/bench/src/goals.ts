/** What the product is to reach: a ratio to a peer in the same run, or a value of its own. */
export type Goal =
  | { readonly case: string; readonly against: string; readonly atLeast: number }
  | { readonly case: string; readonly against: string; readonly atMost: number }
  | { readonly case: string; readonly atLeast: number }
  | { readonly case: string; readonly atMost: number }

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
  // Both of these give every stream a connection of its own.
  { case: 'beside', against: 'haproxy', atMost: 1.1 },
  { case: 'beside', against: 'rathole', atMost: 1.1 },
  { case: 'idle', atMost: 24 },
  { case: 'stalled', atMost: 512 },
  // 95 % of a link of 25 MB/s.
  { case: 'bulk-long', atLeast: 23.75 },
]
