import { X509Certificate } from 'node:crypto'
import { type Clock, ConnectivityError, type Logger } from '@sallyport/core'
import type { RenewedCertificate } from '@sallyport/tunnel'
import { renewalCheckMs, renewalLeadMs, renewalLeadShare, renewalRetryMs } from '../limits.ts'
import { createCertificationKey } from './certification-key.ts'
import type { ConnectorIdentity } from './connector-identity.ts'

/** Renews the subaccount certificate before it expires. */
export interface CertificateRenewal {
  /** Why the last attempt failed; `undefined` after one that worked. */
  readonly error: string | undefined
  /** @throws ConnectivityError when the cloud side is not connected, refuses, or answers with a certificate for another key. */
  renew(): Promise<void>
  stop(): void
}

/** When a certificate is renewed without being asked. */
export interface RenewalPolicy {
  readonly automatic: boolean
  /** Before it expires. */
  readonly leadMs: number
  /** Attempts end so long after the first one that failed, until the connector starts again or somebody renews. */
  readonly giveUpAfterMs: number
}

/** Looks from time to time. `replace` stores the new identity and uses it from the next connection on. */
export function createCertificateRenewal(options: {
  readonly identity: () => ConnectorIdentity
  readonly request: (certificationRequest: string) => Promise<RenewedCertificate>
  readonly replace: (identity: ConnectorIdentity) => Promise<void>
  /** Asked at every look. Without it certificates are renewed in time, and attempts never end. */
  readonly policy?: (() => RenewalPolicy) | undefined
  readonly clock: Clock
  readonly log: Logger
}): CertificateRenewal {
  const { clock, log } = options
  let error: string | undefined
  /** Not before this, after a failure. */
  let retryAtMs = 0
  let failingSinceMs: number | undefined
  let stopped = false
  let cancel: (() => void) | undefined

  const renew = async (): Promise<void> => {
    const before = options.identity()
    const { key, publicKey, request } = await createCertificationKey([{ type: 'CN', value: before.connectorId }])
    const { authorities, certificate } = await options.request(request)
    if (!new X509Certificate(certificate).publicKey.equals(publicKey)) {
      throw new ConnectivityError('PROTOCOL_VIOLATION', 'the renewed certificate is not for the key that was sent')
    }
    await options.replace({ ...before, certificate, key, authorities })
    error = undefined
    failingSinceMs = undefined
    retryAtMs = 0
    log.info({ subaccount: before.subaccount, locationId: before.locationId }, 'the subaccount certificate was renewed')
  }

  const policy = (): RenewalPolicy =>
    options.policy?.() ?? { automatic: true, leadMs: renewalLeadMs, giveUpAfterMs: Number.POSITIVE_INFINITY }
  const mayTry = ({ automatic, giveUpAfterMs }: RenewalPolicy): boolean =>
    automatic && (failingSinceMs === undefined || clock.now() - failingSinceMs < giveUpAfterMs)
  const schedule = (atLeastMs: number): void => {
    const waitMs = Math.max(dueMs(options.identity(), policy()), retryAtMs) - clock.now()
    cancel = clock.after(Math.min(Math.max(waitMs, atLeastMs), renewalCheckMs), () => void look())
  }
  const look = async (): Promise<void> => {
    const { locationId, subaccount } = options.identity()
    if (mayTry(policy()) && clock.now() >= Math.max(dueMs(options.identity(), policy()), retryAtMs)) {
      try {
        await renew()
      } catch (cause) {
        error = cause instanceof Error ? cause.message : 'unknown'
        log.warn({ subaccount, locationId, reason: error }, 'the subaccount certificate could not be renewed')
        failingSinceMs ??= clock.now()
        retryAtMs = clock.now() + retryMs(options.identity(), clock.now())
      }
    }
    if (!stopped) schedule(1000)
  }
  // The tunnel gets a moment to come up: without it every start after a long pause would fail once.
  schedule(10_000)

  return {
    get error() {
      return error
    },
    renew,
    stop() {
      stopped = true
      cancel?.()
    },
  }
}

/** When a certificate is to be renewed: so long before it expires, or in the last third of a shorter life. */
function dueMs(identity: ConnectorIdentity, { leadMs }: RenewalPolicy): number {
  const { notAfterMs, notBeforeMs } = validityOf(identity)
  return notAfterMs - Math.min(leadMs, (notAfterMs - notBeforeMs) * renewalLeadShare)
}

function retryMs(identity: ConnectorIdentity, nowMs: number): number {
  return Math.min(renewalRetryMs, Math.max(60_000, (validityOf(identity).notAfterMs - nowMs) / 4))
}

function validityOf(identity: ConnectorIdentity): { readonly notBeforeMs: number; readonly notAfterMs: number } {
  const certificate = new X509Certificate(identity.certificate)
  return { notBeforeMs: certificate.validFromDate.getTime(), notAfterMs: certificate.validToDate.getTime() }
}
