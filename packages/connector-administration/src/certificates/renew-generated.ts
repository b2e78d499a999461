import { X509Certificate } from 'node:crypto'
import type { Clock, Logger } from '@sallyport/core'
import type { Access } from '../access/access.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { createMasterEditor } from '../document/master-editor.ts'
import type { Pair } from '../high-availability/pair-contract.ts'
import { generatedRenewalCheckMs } from '../limits.ts'
import { onPremisesCertificates, type OwnedCertificateSlot, slotOf } from '../rest/owned-certificates.ts'
import { uiCertificateSlot } from '../rest/ui-settings.ts'
import { type CertificatePurpose, renewSelfSigned } from './owned-certificate.ts'

const author = 'automatic renewal'
const hourMs = 3_600_000
const dayMs = 24 * hourMs

/**
 * How long before its end a generated certificate is renewed, by how long it lives (cloud-connector.md §1.17). The hour before it was made does not count.
 */
function generatedRenewalLeadMs(validityMs: number): number {
  const days = Math.floor(validityMs / dayMs)
  if (days <= 1) return 12 * hourMs
  if (days <= 14) return dayMs
  if (days <= 31) return 3 * dayMs
  return days <= 154 ? 7 * dayMs : 30 * dayMs
}

/**
 * Renews certificates that were generated with automatic renewal: that of the interface, and on a master those towards backends, which its shadow gets from it. What
 * fails is tried again at the next look. An instance of a pair keeps that of its interface, which the other one knows it by: a person has to introduce a new one. The
 * returned function ends it and settles when nothing is under way.
 */
export function renewGeneratedCertificates(options: {
  readonly access: Access
  readonly editor: ConfigurationEditor
  /** Not there where a file configures the connector. */
  readonly pair: Pick<Pair, 'settings'> | undefined
  readonly clock: Clock
  readonly log: Logger
}): () => Promise<void> {
  const { access, clock, log, pair } = options
  const editor = createMasterEditor(options.editor)
  const places: readonly (readonly [CertificatePurpose, OwnedCertificateSlot, () => boolean])[] = [
    ['ui', uiCertificateSlot(access, clock), () => true],
    ...onPremisesCertificates.map(
      (place) => [place.purpose, slotOf(place, { clock, editor }), () => editor.document.connector.haRole === 'master'] as const,
    ),
  ]
  let stopped = false
  let looking: Promise<void> = Promise.resolve()
  let cancel = (): void => {}

  const renew = async (purpose: CertificatePurpose, kept: OwnedCertificateSlot): Promise<void> => {
    const before = kept.slot.current
    if (before?.autoRenewal !== true || !isDue(before.certificate, clock)) return
    if (purpose === 'ui' && pair?.settings.peer !== undefined) {
      log.warn(
        { certificate: purpose, validTo: new X509Certificate(before.certificate).validTo },
        'the certificate of the interface is about to end, and is not renewed because the other instance of the pair knows this one by it: make a new one, and connect the shadow again with user and password',
      )
      return
    }
    const made = await renewSelfSigned(purpose, before, clock)
    // What somebody else has put there meanwhile stays.
    await kept.change(author, (slot) => (slot.current?.certificate === before.certificate ? { ...slot, current: made } : slot))
    if (kept.slot.current?.certificate === made.certificate) log.info({ certificate: purpose }, 'a generated certificate was renewed')
  }
  const look = async (): Promise<void> => {
    for (const [purpose, kept, isOurs] of places) {
      if (!isOurs()) continue
      await renew(purpose, kept).catch((error: unknown) =>
        log.warn(
          { certificate: purpose, reason: error instanceof Error ? error.message : 'unknown' },
          'a generated certificate could not be renewed',
        ),
      )
    }
    if (!stopped) schedule(generatedRenewalCheckMs)
  }
  const schedule = (delayMs: number): void => {
    cancel = clock.after(delayMs, () => {
      looking = look()
    })
  }
  schedule(0)
  return async () => {
    stopped = true
    cancel()
    await looking
  }
}

function isDue(pem: string, clock: Clock): boolean {
  const { validFromDate, validToDate } = new X509Certificate(pem)
  return clock.now() >= validToDate.getTime() - generatedRenewalLeadMs(validToDate.getTime() - validFromDate.getTime())
}
