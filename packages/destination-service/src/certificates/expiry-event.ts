import type { ExpiryNotice } from './expiry-notices.ts'

/** What is told about a certificate that ends soon and that nobody renews. */
export interface ExpiryEvent {
  readonly eventType: 'DestinationCertificateExpiring'
  readonly severity: 'WARNING'
  /** One line for people. */
  readonly subject: string
  readonly body: string
  readonly resource: { readonly name: string; readonly type: 'destination-certificate' }
  readonly tags: {
    readonly subaccountId: string
    /** Empty for a certificate of the subaccount itself. */
    readonly instanceId: string
    /** ISO 8601. */
    readonly expiresAt: string
    /** 14, 7 or 3. */
    readonly daysBefore: string
  }
}

/** Passes events on to whoever wants to know. */
export interface ExpiryNotifier {
  /** Settles when the event has been taken; when it rejects, it is tried again with the next look at all certificates. */
  notify(event: ExpiryEvent, signal: AbortSignal): Promise<void>
}

/** Puts a notice into words. */
export function expiryEventOf({ level, name, expiresAtMs, days }: ExpiryNotice): ExpiryEvent {
  const expiresAt = new Date(expiresAtMs).toISOString()
  const place =
    level.instanceId === null ? `subaccount ${level.subaccountId}` : `instance ${level.instanceId} in subaccount ${level.subaccountId}`
  return {
    eventType: 'DestinationCertificateExpiring',
    severity: 'WARNING',
    subject: `The certificate ${name} expires in ${days} days or less`,
    body: `The certificate ${name} of ${place} expires at ${expiresAt} and is not renewed automatically. Destinations that use it fail from then on: upload or generate another one under the same name.`,
    resource: { name, type: 'destination-certificate' },
    tags: { subaccountId: level.subaccountId, instanceId: level.instanceId ?? '', expiresAt, daysBefore: String(days) },
  }
}
