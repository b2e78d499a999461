import type { Address } from '@sallyport/core'
import type { FarEnd } from './far-side.ts'

/** What lies around one listener of a connectivity proxy. Every case gets a fresh one and disposes it. */
export interface ProxyFarSide extends AsyncDisposable {
  /** The listener under test. */
  readonly listener: Address
  /** The token of an application that may use the proxy. */
  readonly token: string
  /** Location ID of the connector that has the far side; none unless given. */
  readonly location?: string
  /** Answers connections to a virtual address with `handler`; all paths of it are admitted, and upgrades where they are claimed. */
  serve(handler: (far: FarEnd) => void): Promise<Address>
  /** A virtual address whose backend refuses connections. */
  unused(): Promise<Address>
  /** A virtual address that no mapping exposes (feature `refusals`). */
  readonly notExposed?: Address
  /** A second connector, with a location ID of letters in both cases, that exposes the same virtual addresses (feature `locations`). */
  readonly elsewhere?: {
    readonly locationId: string
    /** Answers connections to an address of `serve` that are meant for that location. */
    serve(address: Address, handler: (far: FarEnd) => void): Promise<void>
  }
  /** Tokens of two users whom the connector knows (feature `users`). */
  readonly users?: readonly [string, string]
  /** As `serve`, at an IPv4 address in dotted form (feature `dotted`). */
  serveDotted?(handler: (far: FarEnd) => void): Promise<Address>
}

/** One listener of a connectivity proxy. */
export interface ProxyParts {
  /** A fresh far side; the suite disposes it. */
  readonly open: () => Promise<ProxyFarSide>
  /** Longest wait of a case; the default is ten seconds. Broken subjects are given less. */
  readonly limitMs?: number
}

/** What a case of a proxy suite gets. */
export interface ProxyContext {
  readonly far: ProxyFarSide
  /** Fires when the case has waited too long. */
  readonly signal: AbortSignal
  /** What the case opens is closed when it is over. */
  readonly opened: Set<AsyncDisposable>
}
