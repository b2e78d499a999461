import type { RenewalPolicy } from '@sallyport/cloud-connector'
import type { AdministeredDocument } from '../document/administered-document.ts'
import { renewalGiveUpMs } from '../limits.ts'
import { isNeo } from './regions.ts'

const dayMs = 86_400_000

/**
 * When the certificate of an identity is renewed by itself: where an administrator wants it and the region knows it, a week before the alert about its end. One
 * that belongs to no subaccount yet is adopted, and is renewed.
 */
export function renewalPolicyOf(
  document: AdministeredDocument,
  holder: { readonly subaccount: string; readonly locationId: string },
  alertDays: number,
): RenewalPolicy {
  const entry = document.subaccounts.find(
    ({ locationId, subaccount }) => subaccount === holder.subaccount && locationId === holder.locationId,
  )
  return {
    automatic: entry === undefined || (entry.autoCertRenewal && !isNeo(entry.regionHost)),
    leadMs: (alertDays + 7) * dayMs,
    giveUpAfterMs: renewalGiveUpMs,
  }
}
