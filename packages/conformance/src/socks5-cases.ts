import { type NegotiationCase, negotiationCases } from './socks5-cases/negotiation.ts'
import { type RelayCase, relayCases } from './socks5-cases/relay.ts'
import type { Socks5Case } from './socks5-cases/socks5-case.ts'
import { type TargetCase, targetCases } from './socks5-cases/targets.ts'

/** The title of a case. */
export type Socks5CaseName = NegotiationCase | TargetCase | RelayCase

/** What a client sees of the SOCKS5 listener of a connectivity proxy, byte by byte. */
export const socks5Cases: Readonly<Record<Socks5CaseName, Socks5Case>> = { ...negotiationCases, ...targetCases, ...relayCases }
