import type { TrustSettingsEntry } from '@sallyport/admin-api'
import type { AuditSink, Clock, Logger } from '@sallyport/core'
import {
  createTrustList,
  type SynchronisedIssuer,
  type TrustChanges,
  type TrustEntry,
  type TrustList,
} from '@sallyport/principal-propagation'
import { type ConnectorIdentity, materialName } from '../identity/connector-identity.ts'
import type { MaterialStore } from '../identity/material-store.ts'
import { trustIntervalMs } from '../limits.ts'

/** Keeps the trust list of one subaccount and location like the cloud side's, when it is told to. */
export interface TrustSynchronisation {
  readonly trust: TrustList
  /** When the list was last taken over in this process. */
  readonly atMs: number | undefined
  /** Why the last attempt failed; `undefined` after one that worked. */
  readonly error: string | undefined
  /** Takes new settings over: distrusted issuers count from the next token on, becoming automatic synchronises at once. */
  configure(settings: TrustSettingsEntry): void
  /** Somebody pressed the button. @throws ConnectivityError when the cloud side is not connected or does not answer. */
  synchronise(user: string, signal?: AbortSignal): Promise<TrustChanges>
  /** The cloud side has sent its list, after a connect or a notice. Ignored unless synchronisation is automatic. */
  received(issuers: readonly SynchronisedIssuer[]): void
  stop(): void
}

/** Reads the list of the last run back, so that a restart does not undo a synchronisation. */
export async function restoreTrust(
  material: MaterialStore,
  holder: Pick<ConnectorIdentity, 'subaccount' | 'locationId'>,
): Promise<readonly TrustEntry[]> {
  const text = await material.load(materialName('trust', holder))
  return text === undefined ? [] : (JSON.parse(text) as readonly TrustEntry[])
}

/** Starts with `entries`; nothing is synchronised before settings or somebody ask for it. */
export function createTrustSynchronisation(options: {
  readonly holder: Pick<ConnectorIdentity, 'subaccount' | 'locationId'>
  readonly entries: readonly TrustEntry[]
  readonly getTrust: (signal?: AbortSignal) => Promise<readonly SynchronisedIssuer[]>
  readonly material: MaterialStore
  readonly audit: AuditSink
  readonly clock: Clock
  readonly log: Logger
}): TrustSynchronisation {
  const { audit, clock, holder, log, material } = options
  let automatic = false
  let untrusted: ReadonlySet<string> = new Set()
  let atMs: number | undefined
  let error: string | undefined
  let cancelInterval: (() => void) | undefined
  let saving: Promise<void> = Promise.resolve()
  const trust = createTrustList({ entries: options.entries, isTrusted: ({ issuer }) => !untrusted.has(issuer) })

  const save = (): void => {
    const text = JSON.stringify(trust.entries)
    saving = saving
      .then(() => material.save(materialName('trust', holder), text))
      .catch((cause: unknown) => {
        log.error(
          { ...holder, code: 'STORE_FAILED', reason: cause instanceof Error ? cause.message : 'unknown' },
          'the trust list cannot be kept',
        )
      })
  }

  const takeOver = (issuers: readonly SynchronisedIssuer[], user: string): TrustChanges => {
    const changes = trust.synchronise(issuers)
    atMs = clock.now()
    error = undefined
    const differs = changes.added.length + changes.removed.length + changes.changed.length > 0
    if (differs) {
      save()
      const list = (names: readonly string[]): string => `{${names.join(', ')}}`
      const { added, changed, removed } = changes
      audit.write({
        type: 'configuration-changed',
        category: 'TrustSynchronization',
        subaccount: holder.subaccount,
        user,
        message: `User ${user} synchronised the trust list: added ${list(added)}, removed ${list(removed)}, changed ${list(changed)}`,
      })
    }
    return changes
  }

  const synchronise = async (user: string, signal?: AbortSignal): Promise<TrustChanges> => {
    try {
      return takeOver(await options.getTrust(signal), user)
    } catch (cause) {
      error = cause instanceof Error ? cause.message : 'unknown'
      throw cause
    }
  }

  const inBackground = (): void => {
    synchronise('automatic').catch((cause: unknown) => {
      log.info({ ...holder, reason: cause instanceof Error ? cause.message : 'unknown' }, 'the trust list could not be synchronised')
    })
  }
  const schedule = (): void => {
    cancelInterval?.()
    cancelInterval = clock.after(trustIntervalMs, () => {
      inBackground()
      schedule()
    })
  }

  return {
    trust,
    get atMs() {
      return atMs
    },
    get error() {
      return error
    },
    configure(settings) {
      untrusted = new Set(settings.untrustedIssuers)
      let changed = false
      for (const entry of trust.entries) {
        if (entry.trusted !== untrusted.has(entry.issuer)) continue
        trust.setTrusted(entry.id, !entry.trusted)
        changed = true
      }
      if (changed) save()
      if (automatic === settings.automatic) return
      ;({ automatic } = settings)
      cancelInterval?.()
      if (!automatic) return
      inBackground()
      schedule()
    },
    synchronise,
    received(issuers) {
      if (!automatic) return
      try {
        takeOver(issuers, 'automatic')
      } catch (cause) {
        error = cause instanceof Error ? cause.message : 'unknown'
        log.warn({ ...holder, reason: error }, 'the trust list of the cloud side is not usable')
      }
    },
    stop: () => cancelInterval?.(),
  }
}
