import type { KeyObject } from 'node:crypto'
import type { AuthToken, DestinationRecord, ReturnedCertificate } from '@sallyport/admin-api'
import type { Logger } from '@sallyport/core'
import type { Caller } from '../access/caller.ts'
import type { Level } from '../entities/entity-repository.ts'
import type { FindHeaders } from '../find/find-headers.ts'

/** A destination as it was found, and what the caller said. */
export interface AuthenticationRequest {
  /** Fragments already merged. */
  readonly configuration: DestinationRecord
  /** Where the destination was found. */
  readonly level: Level
  /** Of the merged configuration. */
  readonly etag: string
  readonly headers: FindHeaders
  readonly caller: Caller
  /** The encoded JWT of the Authorization header, already verified. */
  readonly serviceToken: string
  /** The caller wants no token call: the outcome then has certificates at most. */
  readonly skipTokenRetrieval: boolean
  readonly references: References
  readonly log: Logger
}

/** How a flow reaches other entities of the same find. */
export interface References {
  /** On the destination's level, else on its subaccount's. */
  certificate(name: string): Promise<ReferencedCertificate | undefined>
  /** On the destination's own level, without fragments. */
  destination(name: string): Promise<ReferencedDestination | undefined>
  /** The active trust key pair of the destination's subaccount. */
  signingKey(): Promise<SigningKey | undefined>
}

/** A stored certificate or key store. */
interface ReferencedCertificate {
  /** `Name`, `Type` and `Content` (Base64 of the file). */
  readonly properties: Readonly<Record<string, string>>
  /** Never shown: the password of a generated key store. */
  readonly hidden: Readonly<Record<string, string>>
}

/** Another destination. */
interface ReferencedDestination {
  readonly configuration: DestinationRecord
  readonly level: Level
  readonly etag: string
}

/** What assertions of a subaccount are signed with. */
export interface SigningKey {
  readonly privateKey: KeyObject
  /** PEM. */
  readonly certificate: string
  /** The name under which targets know the subaccount. */
  readonly issuer: string
}

/** What find adds to a destination. Members that do not apply are absent, never empty. */
export interface AuthenticationOutcome {
  readonly authTokens?: readonly AuthToken[]
  readonly certificates?: readonly ReturnedCertificate[]
}

/** Carries out the `Authentication` of destinations. */
export interface Authenticator {
  /**
   * Tokens and certificates of a destination. A token that could not be had is an entry with `error`.
   *
   * @throws ConnectivityError `MESSAGE_INVALID` when the headers do not fit the destination.
   */
  authenticate(request: AuthenticationRequest): Promise<AuthenticationOutcome>
  /** Ends the calls that are under way. */
  close(): void
}
