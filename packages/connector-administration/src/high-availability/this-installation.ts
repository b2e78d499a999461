import { createHash } from 'node:crypto'
import { type CloudConnector, loadIdentities, type MaterialStore } from '@sallyport/cloud-connector'
import type { AdministeredDocument } from '../document/administered-document.ts'
import { readMaterial, replaceMaterial } from '../document/configured-material.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { readDocument, writeDocument } from '../document/stored-document.ts'
import { traceSettingsOf, withTraceSettings } from '../document/trace-settings.ts'
import { confirmPatienceMs, takeOverPatienceMs } from '../limits.ts'
import type { Installation, Snapshot } from './installation.ts'
import { pairAuthor } from './pair-member.ts'
import { keepReplaced, loadReplaced } from './replaced-documents.ts'

/** This installation as its pair sees it. */
export function createInstallation(options: {
  readonly editor: ConfigurationEditor
  readonly connector: Pick<CloudConnector, 'add' | 'connect' | 'disconnect' | 'reachCloud' | 'remove' | 'status' | 'whenConnected'>
  readonly material: MaterialStore
  readonly version: string
}): Installation {
  const { connector, editor, material, version } = options
  const wanted = (): AdministeredDocument['subaccounts'] => editor.document.subaccounts.filter(({ connected }) => connected)
  const snapshot = async (): Promise<Snapshot> => {
    const { document } = editor
    return { revision: document.revision, document: writeDocument(document, version), material: await readMaterial(material) }
  }
  const replacedLinks = (): CloudConnector['status']['links'] =>
    connector.status.links.filter(({ tunnel }) => tunnel.kind === 'failed' && tunnel.reason === 'replaced')
  return {
    version,
    get role() {
      return editor.document.connector.haRole
    },
    get revision() {
      return editor.document.revision
    },
    async setRole(role, user) {
      await editor.change(user, (document) => ({ ...document, connector: { ...document.connector, haRole: role } }))
    },
    snapshot,
    get wantsTunnels() {
      return wanted().length > 0
    },
    keepReplaced: async (at) => await keepReplaced(material, await snapshot(), at),
    replaced: () => loadReplaced(material),
    digest: async () => digestOf(await readMaterial(material)),
    async apply({ document, material: received }) {
      // Before anything is replaced: what this version cannot read stays away as a whole.
      const taken = readDocument(document, version)
      const before = await loadIdentities(material)
      const had = await readMaterial(material)
      await replaceMaterial(material, received)
      const identities = await loadIdentities(material)
      for (const gone of before.filter((each) => !identities.some((kept) => isSame(kept, each)))) await connector.remove(gone)
      // A tunnel reads what belongs to it, such as its trust list, when it is made.
      for (const identity of identities)
        if (!before.some((known) => isSame(known, identity)) || isOtherMaterial(identity, had, received)) await connector.add(identity)
      await editor.change(pairAuthor, (own) => {
        const mirrored: AdministeredDocument = {
          ...taken,
          revision: own.revision,
          loginInformation: own.loginInformation,
          connector: { ...taken.connector, haRole: own.connector.haRole },
        }
        return withTraceSettings(mirrored, traceSettingsOf(own))
      })
    },
    async openTunnels() {
      const patience = AbortSignal.timeout(takeOverPatienceMs)
      const opened = await Promise.allSettled(
        wanted().map(async (holder) => {
          await connector.connect(holder)
          await connector.whenConnected(patience, holder)
        }),
      )
      return opened.filter(({ status }) => status === 'fulfilled').length
    },
    async reopenTunnels() {
      const replaced = replacedLinks()
      const meant = wanted().filter((holder) => replaced.some((link) => isSame(link, holder)))
      await Promise.allSettled(meant.map((holder) => connector.connect(holder)))
      return meant.length
    },
    async isServing() {
      if (wanted().length === 0) return true
      const isReplaced = (): boolean => replacedLinks().some((link) => wanted().some((holder) => isSame(link, holder)))
      const open = connector.status.links.filter(({ tunnel }) => tunnel.kind === 'ready')
      const patience = AbortSignal.timeout(confirmPatienceMs)
      const asked = await Promise.allSettled(open.map((holder) => connector.reachCloud(holder, patience)))
      return asked.length > 0 && asked.every(({ status }) => status === 'fulfilled') && !isReplaced()
    },
    async closeTunnels(grace) {
      await Promise.allSettled(wanted().map((holder) => connector.disconnect(holder, grace)))
    },
  }
}

interface Holder {
  readonly subaccount: string
  readonly locationId: string
}

function isSame(a: Holder, b: Holder): boolean {
  return a.subaccount === b.subaccount && a.locationId === b.locationId
}

function isOtherMaterial({ locationId, subaccount }: Holder, a: Snapshot['material'], b: Snapshot['material']): boolean {
  return [...Object.keys(a), ...Object.keys(b)].some((name) => name.endsWith(` ${subaccount} ${locationId}`) && a[name] !== b[name])
}

function digestOf(material: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(material).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex')
}
