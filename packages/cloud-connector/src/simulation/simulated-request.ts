import type { WirePrincipal } from '@sallyport/tunnel'
import type { PrincipalPreview } from '../principal/principal-handling.ts'

/** A request or connection as an application would make it. Without path and function, a system is only connected to. */
export interface SimulatedRequest {
  /** Virtual side. */
  readonly host: string
  /** A number, or a name that a mapping has, such as `sapgw00`. */
  readonly port: number | string
  readonly method?: string | undefined
  /** Request target, with or without query. */
  readonly path?: string | undefined
  /** The protocol that is asked for instead of HTTP. */
  readonly upgrade?: string | undefined
  /** Of RFC, or of a SOAP request where the mapping looks into those. */
  readonly functionName?: string | undefined
  /** Who logs on by RFC. */
  readonly client?: string | undefined
  readonly user?: string | undefined
  readonly principal?: WirePrincipal | undefined
}

/** What the connector would do with a {@link SimulatedRequest}, and why. */
export interface RequestSimulation {
  readonly allowed: boolean
  readonly reason: string
  /** What the application would be answered instead of its backend; no status outside HTTP. */
  readonly refusal: { readonly status: number | undefined; readonly text: string } | undefined
  /** The mapping that decided, or was in the way. */
  readonly mapping:
    | { readonly virtual: string; readonly internal: string; readonly protocol: string; readonly principalType: string }
    | undefined
  /** The resource that admits the path, or the function; `undefined` where the mapping alone grants. */
  readonly resource: SimulatedResource | undefined
  /** Some of what the mapping admits, where it does not admit this. */
  readonly admitted: readonly SimulatedResource[]
  /** What the backend would be told about the user. */
  readonly principal: SimulatedPrincipal | undefined
}

/** A path or function of a mapping. */
export interface SimulatedResource {
  readonly id: string
  readonly exactMatchOnly: boolean
}

/** What becomes of the token of a request. */
export type SimulatedPrincipal =
  | { readonly use: 'certificate'; readonly preview: PrincipalPreview }
  | { readonly use: 'ticket'; readonly kind: 'not-trusted'; readonly message: string }
  /** `problem`: why there would be no ticket, as far as that can be told without asking the KDC: what the last attempt met counts. */
  | { readonly use: 'ticket'; readonly kind: 'trusted'; readonly user: string; readonly problem: string | undefined }
  /** The system user must not be logged on either. */
  | { readonly use: 'empty-header' }
  | { readonly use: 'nothing' }
