import type { GatewayConnect, InitializeParameters, PartnerParameters, WireParameter } from '@sallyport/rfc-wire'

/** One logon that reached the fixture. */
export interface SeenLogon {
  readonly connection: number
  readonly client: string
  readonly user: string
  readonly language: string
  readonly accepted: boolean
}

/** One call that reached the fixture. */
export interface SeenCall {
  readonly connection: number
  readonly user: string
  readonly functionName: string
  readonly wantedOutputs: readonly string[]
  readonly inputs: readonly WireParameter[]
  /** How many records of the client brought it. */
  readonly records: number
}

/** What has reached the fixture, in order. Lists grow; a test takes what it needs. Connections count from 1. */
export interface GatewaySeen {
  readonly connects: readonly GatewayConnect[]
  readonly initializations: readonly InitializeParameters[]
  readonly partners: readonly PartnerParameters[]
  readonly logons: readonly SeenLogon[]
  /** The newest 1000. */
  readonly calls: readonly SeenCall[]
  /** Messages of clients with the connection they came on, byte for byte; the first 1000. */
  readonly messages: readonly { readonly connection: number; readonly payload: Buffer }[]
  /** Why it has ended connections of clients that do what none may do. */
  readonly violations: readonly string[]
  /** Conversations that clients have ended with DEALLOCATE. */
  readonly deallocated: number
}

/** How many messages and calls are kept, so that tests of volume do not fill memory. */
export const keptEntries = 1000

/** The lists, for the fixture to write. */
export interface GatewayLog {
  connects: GatewayConnect[]
  initializations: InitializeParameters[]
  partners: PartnerParameters[]
  logons: SeenLogon[]
  calls: SeenCall[]
  messages: { readonly connection: number; readonly payload: Buffer }[]
  violations: string[]
  deallocated: number
}

/** A log in which nothing stands yet. */
export function createGatewayLog(): GatewayLog {
  return { connects: [], initializations: [], partners: [], logons: [], calls: [], messages: [], violations: [], deallocated: 0 }
}
