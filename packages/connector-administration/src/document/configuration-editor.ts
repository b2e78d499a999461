import { acceptConnectors } from '@sallyport/cloud-connector'
import { type AuditSink, ConnectivityError, createTurnQueue, type Logger, silentLogger } from '@sallyport/core'
import { forbidden, invalidRequest } from '../rest/rest-error.ts'
import type { AdministeredDocument } from './administered-document.ts'
import { idleListOf } from './administered-mapping.ts'
import { renderConnectors } from './administered-source.ts'
import { checkDocument, rememberChecked } from './check-document.ts'
import type { DocumentStore } from './document-store.ts'
import { virtualNameOf } from './edit-mapping.ts'
import { installationChanges } from './installation-changes.ts'

/** Changes the document, one change after the other. */
export interface ConfigurationEditor {
  /** What is in force. */
  readonly document: AdministeredDocument
  /** The file that decides alone, where nothing can be changed. */
  readonly configuredBy: string | undefined
  /**
   * Replaces the document by what `edit` makes of it: checked, stored, taken over by the connector. `user` is who asked, for the audit log. Returns the new
   * document; the same one when `edit` returned its argument, and nothing is stored then.
   *
   * @throws what `edit` throws; RestError 400 when the connector cannot work with the change, 403 when it may not, and it is undone then; ConnectivityError `STORE_FAILED` when it
   * cannot be stored, and nothing has changed.
   */
  change(user: string, edit: (document: AdministeredDocument) => AdministeredDocument): Promise<AdministeredDocument>
  /** Calls back after every change, with the new document. The returned function ends it. */
  onChange(listener: (document: AdministeredDocument) => void): () => void
}

/** Opens the stored document for changes. `takeOver` makes the connector read `document` again and throws when it cannot work with it. */
export async function openConfigurationEditor(options: {
  readonly store: DocumentStore
  readonly takeOver: (user: string) => Promise<void>
  /** Gets every change of what no single subaccount owns. */
  readonly audit: Pick<AuditSink, 'write'>
  readonly log?: Logger
}): Promise<ConfigurationEditor> {
  const { audit, log = silentLogger, store, takeOver } = options
  let document = rememberChecked(await store.load())
  let listeners: readonly ((document: AdministeredDocument) => void)[] = []
  const { inTurn } = createTurnQueue()

  const report = (error: unknown, what: string): void => log.error({ reason: error instanceof Error ? error.message : 'unknown' }, what)

  const change = async (user: string, edit: (document: AdministeredDocument) => AdministeredDocument): Promise<AdministeredDocument> => {
    const before = document
    const edited = edit(before)
    if (edited === before) return before
    const after = checked({ ...edited, revision: before.revision + 1 })
    // Stored first: what has been acknowledged must survive a kill.
    await store.save(after)
    document = after
    try {
      await takeOver(user)
    } catch (error) {
      document = before
      // Each for itself: what cannot be stored again is in force all the same, and told to be.
      await store.save(before).catch((again: unknown) => report(again, 'a refused change could not be taken back on disk'))
      await takeOver(user).catch((again: unknown) => report(again, 'the configuration from before a refused change is not taken over'))
      throw asRefusal(error)
    }
    for (const entry of installationChanges(before, after, user)) audit.write(entry)
    for (const listener of listeners) {
      try {
        listener(document)
      } catch (error) {
        report(error, 'somebody who follows the configuration has failed')
      }
    }
    return document
  }

  return {
    configuredBy: undefined,
    get document() {
      return document
    },
    change: (user, edit) => inTurn(() => change(user, edit)),
    onChange(listener) {
      listeners = [...listeners, listener]
      return () => {
        listeners = listeners.filter((each) => each !== listener)
      }
    },
  }
}

/** What could not be loaded after a restart must not be stored, so the connector's own rules are asked before. */
function checked(document: AdministeredDocument): AdministeredDocument {
  const read = checkDocument(document)
  for (const mapping of read.subaccounts.flatMap(({ systemMappings }) => systemMappings)) {
    const problem = idleListOf(mapping)
    if (problem !== undefined) throw invalidRequest(`${virtualNameOf(mapping)}: ${problem}`)
  }
  try {
    acceptConnectors(renderConnectors(read), 'administration')
  } catch (error) {
    throw asRefusal(error)
  }
  return read
}

function asRefusal(error: unknown): unknown {
  if (!ConnectivityError.is(error)) return error
  switch (error.code) {
    case 'CONFIGURATION_INVALID':
      return invalidRequest(error.message)
    // A second person has not permitted that contents are traced.
    case 'ACCESS_DENIED':
      return forbidden(error.message)
    default:
      return error
  }
}
