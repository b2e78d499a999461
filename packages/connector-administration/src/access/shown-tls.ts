import type { Logger } from '@sallyport/core'
import type { OwnedCertificate } from '../document/on-premises.ts'
import { requireReachable, type UiSettings } from './ui-settings.ts'

/** What the administration can be reached with. */
export interface ShownTls {
  readonly certificate: OwnedCertificate
  /** The strong ones when absent. */
  readonly cipherSuites: readonly string[] | undefined
}

/**
 * Gives what is set as long as TLS takes it. What is stored may be of before, or out of a backup; with a certificate that TLS refuses the connector would not start
 * and nobody could mend it, so its own certificate stands in, with the usual suites, and the log says why.
 */
export function createShownTls(own: OwnedCertificate, log: Logger): (ui: UiSettings) => ShownTls {
  let tried: { readonly ui: UiSettings; readonly shown: ShownTls } | undefined
  const choose = (ui: UiSettings): ShownTls => {
    try {
      requireReachable(ui, own)
      return { certificate: ui.certificate.current ?? own, cipherSuites: ui.cipherSuites }
    } catch (error) {
      log.error(
        { reason: error instanceof Error ? error.message : String(error) },
        'the UI certificate that is set cannot be used; the administration shows its own certificate until another is given to it',
      )
      return { certificate: own, cipherSuites: undefined }
    }
  }
  return (ui) => {
    if (tried?.ui !== ui) tried = { ui, shown: choose(ui) }
    return tried.shown
  }
}
