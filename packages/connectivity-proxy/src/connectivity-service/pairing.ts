import { type AuditSink, type Clock, ConnectivityError, type Secret } from '@sallyport/core'
import { parseCertificationRequest } from '@sallyport/x509'
import type { ConnectorAuthority, NewCertificate } from './connector-authority.ts'
import { maxClaimedNameLength, maxOpenPairingCodes, pairingCodeLifetimeMs } from './limits.ts'
import { createPairingCode, hashPairingCode } from './pairing-code.ts'
import type { PairingAnswer, PairingProof, PairingRequest } from './pairing-messages.ts'
import type { ConnectivityRepository, IssuedCertificate } from './repository.ts'

/**
 * Whether a user of a subaccount may add connectors to it, by password. `user` is how the user is called from then on. A refusal does not tell which of them was
 * wrong.
 */
export type VerifyCloudUser = (request: {
  readonly subaccount: string
  readonly user: string
  readonly password: Secret
}) => Promise<{ readonly allowed: true; readonly user: string } | { readonly allowed: false; readonly reason: 'credentials' | 'role' }>

/** Lets connectors in: hands out one-time codes, and certificates for them. */
export interface Pairing {
  /** A code that one connector of the subaccount can use once within a quarter of an hour. `createdBy` becomes the user who registered it. */
  createCode(request: {
    readonly subaccount: string
    readonly createdBy: string
  }): Promise<{ readonly code: string; readonly expiresAtMs: number }>
  /** @throws ConnectivityError `PAIRING_REFUSED`, or `MESSAGE_INVALID` for a bad certification request, which does not use the code up. */
  pair(request: PairingRequest): Promise<PairingAnswer>
  /** A new certificate for a connector that has shown a valid one. @throws ConnectivityError `MESSAGE_INVALID`, `PAIRING_REFUSED`. */
  renew(current: IssuedCertificate, certificationRequest: string): Promise<{ readonly certificate: string; readonly authorities: string }>
}

/** Pairing on a repository. Every code and certificate that is handed out is in the audit log; so is who showed no password, among what belongs to no subaccount. */
export function createPairing(options: {
  readonly authority: ConnectorAuthority
  readonly repository: ConnectivityRepository
  readonly tunnelEndpoint: () => string
  /** Decides by user and password; without it only codes are taken. */
  readonly verifyCloudUser?: VerifyCloudUser | undefined
  /** What people call a subaccount. */
  readonly nameOf?: ((subaccount: string) => string) | undefined
  readonly clock: Clock
  readonly audit: AuditSink
}): Pairing {
  const { authority, repository, clock, audit } = options
  const record = (subaccount: string, user: string, message: string): void =>
    audit.write({ type: 'configuration-changed', category: 'Pairing', subaccount, user, message })

  /** A user who has shown the password gets a code, and uses it at once. */
  const codeOf = async (proof: PairingProof): Promise<string> => {
    if (proof.kind === 'code') return proof.code
    const { subaccount, user } = proof
    if (options.verifyCloudUser === undefined)
      throw new ConnectivityError('PAIRING_REFUSED', 'this service pairs by one-time codes only, not by user and password')
    const verdict = await options.verifyCloudUser(proof)
    if (!verdict.allowed) {
      if (verdict.reason === 'role') record(subaccount, user, `user ${user} was refused to add a connector: the role is missing`)
      else {
        // Nobody has shown anything: what is claimed must not choose where the log writes.
        const claim = `${claimed(user)} of subaccount ${claimed(subaccount)}`
        record('', '', `somebody who claims to be user ${claim} was refused to add a connector: wrong user, password or subaccount`)
      }
      throw new ConnectivityError(
        'PAIRING_REFUSED',
        verdict.reason === 'role'
          ? `user ${user} may not add connectors: give the user the role collection Cloud Connector Administrator or Subaccount Administrator`
          : 'user, password and subaccount do not belong together',
        { details: { reason: verdict.reason } },
      )
    }
    return (await pairing.createCode({ subaccount, createdBy: verdict.user })).code
  }

  const pairing: Pairing = {
    async createCode({ subaccount, createdBy }) {
      const code = createPairingCode()
      const now = clock.now()
      const expiresAtMs = now + pairingCodeLifetimeMs
      const added = await repository.addPairingCode(
        { hash: hashPairingCode(code), subaccount, createdBy, expiresAtMs },
        now,
        maxOpenPairingCodes,
      )
      if (!added)
        throw new ConnectivityError(
          'PAIRING_REFUSED',
          `the subaccount has ${maxOpenPairingCodes} unused pairing codes already; let some expire`,
        )
      record(subaccount, createdBy, 'pairing code created')
      return { code, expiresAtMs }
    },

    async pair(request) {
      if (audit.failing)
        throw new ConnectivityError('SERVICE_UNAVAILABLE', 'no connector can be paired while the audit log cannot be written')
      const { publicKey } = parseCertificationRequest(request.certificationRequest)
      const { proof } = request
      const hash = hashPairingCode(await codeOf(proof))
      const code = await repository.findPairingCode(hash, clock.now())
      if (code === undefined || (proof.subaccount !== undefined && proof.subaccount !== code.subaccount)) throw refused()
      const { subaccount, createdBy } = code
      const { connectorId, locationId, description } = request
      const issued = authority.issueForConnector({ subaccount, connectorId }, publicKey)
      const certificate = toIssued(issued, { subaccount, connectorId, locationId, description, registeredBy: createdBy }, clock.now())
      if (!(await repository.redeemPairingCode(hash, clock.now(), certificate))) throw refused()
      record(subaccount, createdBy, `connector ${connectorId} paired, certificate ${issued.fingerprint.slice(0, 16)}`)
      return {
        subaccount,
        displayName: options.nameOf?.(subaccount) ?? subaccount,
        user: createdBy,
        certificate: issued.pem,
        authorities: authority.bundle(),
        tunnelEndpoint: options.tunnelEndpoint(),
      }
    },

    async renew(current, certificationRequest) {
      const { publicKey } = parseCertificationRequest(certificationRequest)
      const issued = authority.issueForConnector(current, publicKey)
      if (!(await repository.addRenewedCertificate(toIssued(issued, current, clock.now()), current.fingerprint))) throw revoked()
      record(current.subaccount, current.registeredBy, `certificate of connector ${current.connectorId} renewed`)
      return { certificate: issued.pem, authorities: authority.bundle() }
    },
  }
  return pairing
}

function toIssued(
  issued: NewCertificate,
  holder: Pick<IssuedCertificate, 'subaccount' | 'connectorId' | 'locationId' | 'description' | 'registeredBy'>,
  nowMs: number,
): IssuedCertificate {
  const { subaccount, connectorId, locationId, description, registeredBy } = holder
  const { fingerprint, expiresAtMs } = issued
  return {
    fingerprint,
    subaccount,
    connectorId,
    locationId,
    description,
    registeredBy,
    issuedAtMs: nowMs,
    expiresAtMs,
    revokedAtMs: undefined,
  }
}

/** A name that anybody can send, fit for a line of the log. */
function claimed(name: string): string {
  const line = name.toWellFormed().replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
  return line.length > maxClaimedNameLength ? `${line.slice(0, maxClaimedNameLength).toWellFormed()}…` : line
}

/** A certificate that must not be renewed. */
export function revoked(): ConnectivityError {
  return new ConnectivityError('PAIRING_REFUSED', 'the present certificate is not known or was revoked; pair the connector again')
}

/** One text for wrong, used and expired: which of them it was would help nobody but a guesser. */
function refused(): ConnectivityError {
  return new ConnectivityError(
    'PAIRING_REFUSED',
    'the pairing code is not valid: it is mistyped, was used already, is for another subaccount, or is older than 15 minutes',
  )
}
