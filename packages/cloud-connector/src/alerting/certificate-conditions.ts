import { certificateRepeatMs } from '../limits.ts'
import { type OwnedCertificate, sortCertificates } from '../monitoring/certificate-status.ts'
import type { AlertCondition, AlertType } from './alert.ts'

const alertTypes: Readonly<Record<OwnedCertificate['type'], AlertType>> = {
  UI: 'UICertificate',
  System: 'SystemCertificate',
  CA: 'CACertificate',
  subaccount: 'SubaccountCertificate',
}

/** Certificates of the connector that have expired or will soon. */
export function certificateConditions(
  certificates: readonly OwnedCertificate[],
  options: { readonly nowMs: number; readonly thresholdDays: number },
): readonly AlertCondition[] {
  const { expired, expiring } = sortCertificates(certificates, options)
  const condition = (certificate: OwnedCertificate, isExpired: boolean): AlertCondition => {
    const { issuer, regionHost, serialNumber, subaccount, subject, type } = certificate
    const day = new Date(certificate.notAfterMs).toISOString().slice(0, 10)
    const name =
      type === 'subaccount'
        ? `Certificate of subaccount ${subaccount} (${subaccount}@${regionHost})`
        : `${type} certificate ('${subject}' issued by '${issuer}')`
    const future = type === 'subaccount' ? `will expire ${day}. Renew as soon as possible.` : `expires ${day}`
    return {
      key: `certificate ${type} ${subaccount} ${certificate.locationId} ${serialNumber}`,
      category: 'certificates',
      type: alertTypes[type],
      message: `${name} ${isExpired ? `has expired ${day}` : future}`,
      recovery: `${name} is not in use any more, or valid for long enough`,
      entity: subaccount === '' ? '' : `${subaccount}@${regionHost}`,
      repeatMs: certificateRepeatMs,
    }
  }
  return [...expired.map((each) => condition(each, true)), ...expiring.map((each) => condition(each, false))]
}
