import type { IncomingHttpHeaders } from 'node:http'
import type { AuditSink, Clock, Logger } from '@sallyport/core'
import type { TokenVerifier } from '@sallyport/token-verifier'
import type { Authenticator } from '../authentication/authentication-request.ts'
import type { Caller } from '../access/caller.ts'
import type { CertificateUpkeep } from '../certificates/certificate-upkeep.ts'
import type { CertificateGenerator } from '../certificates/generated-certificate.ts'
import type { EntityRepository } from '../entities/entity-repository.ts'
import type { AnswerTexts } from '../find/answer-texts.ts'
import type { Trust } from '../trust/trust.ts'
import type { Query } from './query.ts'

/** A request as the handlers see it: who calls has been decided, nothing else has been looked at. */
export interface ServiceRequest {
  readonly caller: Caller
  readonly headers: IncomingHttpHeaders
  readonly query: Query
  /** The parsed JSON, `undefined` when there was no body. */
  readonly body: unknown
  readonly correlationId: string
  readonly log: Logger
}

/** What handlers work with. */
export interface ServiceContext {
  readonly repository: EntityRepository
  readonly authenticator: Authenticator
  readonly certificates: CertificateGenerator
  readonly trust: Trust
  readonly verifier: TokenVerifier
  readonly clock: Clock
  readonly audit: AuditSink | undefined
  readonly upkeep: Pick<CertificateUpkeep, 'renew'>
  /** Forgets which instances the identity applications of a subaccount consume. */
  readonly forgetIdentityRelations: (subaccountId: string) => void
  /** Texts of look-ups that have been answered. */
  readonly answerTexts: AnswerTexts
  readonly strictNames: boolean
  readonly maxPerSubaccount: number
}
