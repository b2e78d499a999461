import type { OwnedCertificate, SortedCertificates } from '../monitoring/certificate-status.ts'
import type { CpuStatus, MemoryStatus, Share } from '../monitoring/machine-probe.ts'
import { formatSerialNumber } from './monitoring-answers.ts'

/** `GET /api/monitoring/memory` */
export function renderMemory({ heapKb, physicalKb, virtualKb }: MemoryStatus): unknown {
  return { physicalKB: renderShare(physicalKb), virtualKB: renderShare(virtualKb), cloudConnectorHeapKB: { ...heapKb } }
}

/** `GET /api/monitoring/disk` */
export function renderShare({ free, others, own, total }: Share): unknown {
  return { total, CloudConnector: own, others, free }
}

/** `GET /api/monitoring/cpu` */
export function renderCpu({ own, total }: CpuStatus): unknown {
  return { total, CloudConnector: own }
}

/** `GET /api/monitoring/certificates` */
export function renderCertificates(sorted: SortedCertificates): {
  readonly expired: readonly unknown[]
  readonly expiring: readonly unknown[]
  readonly ok: readonly unknown[]
} {
  return {
    expired: sorted.expired.map(renderCertificate),
    expiring: sorted.expiring.map(renderCertificate),
    ok: sorted.ok.map(renderCertificate),
  }
}

function renderCertificate(certificate: OwnedCertificate): unknown {
  const { notAfterMs: validTo, type } = certificate
  if (type === 'subaccount') return { type, validTo, subaccountName: certificate.subaccount, subaccountRegion: certificate.regionHost }
  const { issuer, serialNumber, subject } = certificate
  return { type, validTo, subjectDN: subject, issuerDN: issuer, serialNumber: formatSerialNumber(serialNumber) }
}
