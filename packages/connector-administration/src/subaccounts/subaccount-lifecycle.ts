import {
  type CloudConnector,
  type ConnectorIdentity,
  copyIdentity,
  type LinkStatus,
  loadIdentities,
  type MaterialStore,
  type Reachability,
  removeIdentity,
  removeUnusedMaterial,
  saveIdentity,
  type Simulation,
} from '@sallyport/cloud-connector'
import { createTurnQueue } from '@sallyport/core'
import {
  type AdministeredSubaccount,
  administeredSubaccountSchema,
  isSubaccount,
  type SubaccountKey,
} from '../document/administered-subaccount.ts'
import type { AdministeredDocument } from '../document/administered-document.ts'
import type { AdministeredMapping } from '../document/administered-mapping.ts'
import { virtualNameOf } from '../document/edit-mapping.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { createMasterEditor } from '../document/master-editor.ts'
import { editSubaccount, findSubaccount } from '../document/edit-subaccount.ts'
import { channelServedWaitMs, tunnelWaitMs } from '../limits.ts'
import { conflict, invalidRequest } from '../rest/rest-error.ts'
import { type CloudCredentials, handshake, type HandshakeDeps } from './handshake.ts'
import { type RegionService, serviceOf } from './regions.ts'

/** What an administrator says about a new subaccount. */
interface NewSubaccount extends SubaccountKey {
  readonly credentials: CloudCredentials
  readonly locationId: string
  /** Empty: as the cloud side calls it when that is known, else its ID. */
  readonly displayName: string
  readonly description: string
  readonly autoCertRenewal: boolean
  readonly isManaged: boolean
}

/** What can be changed afterwards; what is not given stays. */
type SubaccountChange = Partial<Pick<AdministeredSubaccount, 'locationId' | 'displayName' | 'description' | 'autoCertRenewal'>>

/** The life of subaccounts: their certificates and tunnels, together with what is configured for them. One change at a time. */
export interface SubaccountLifecycle {
  /** Makes this installation known to a subaccount, and connects. Fails as a whole or not at all; a tunnel that does not open is no failure. */
  add(user: string, subaccount: NewSubaccount): Promise<void>
  /** Cuts the tunnel and forgets everything. */
  remove(user: string, key: SubaccountKey): Promise<void>
  /** Another location ID opens the tunnel anew. */
  change(user: string, key: SubaccountKey, change: SubaccountChange): Promise<void>
  /** Opens or cuts the tunnel, now and after the next start. */
  setConnected(user: string, key: SubaccountKey, connected: boolean): Promise<void>
  /** Exchanges credentials for a new certificate. */
  renew(user: string, key: SubaccountKey, credentials: CloudCredentials): Promise<void>
  /** Removes secrets that belong to no subaccount any more, and returns how many. Between the other changes, so that nothing goes that one of them has just made. */
  removeUnused(user: string): Promise<number>
  /** Takes the trust list of the cloud side over. @throws ConnectivityError when there is no tunnel. */
  synchroniseTrust(user: string, entry: AdministeredSubaccount): Promise<void>
  /** Looks whether the backend of a mapping can be reached. @throws ConnectivityError `NOT_FOUND` without a certificate. */
  checkBackend(entry: AdministeredSubaccount, mapping: AdministeredMapping, signal: AbortSignal): Promise<Reachability>
  /** What would become of tokens and requests. @throws RestError 409 without a certificate. */
  simulationOf(entry: AdministeredSubaccount): Simulation
  /** Whether it could not be loaded at the start, and has not been mended since. */
  isCorrupted(entry: AdministeredSubaccount): boolean
  /** Waits until a service channel leads to its service, for some seconds. @throws ConnectivityError why it does not. */
  whenChannelServed(entry: AdministeredSubaccount, id: number): Promise<void>
  /** How the tunnel is; `undefined` without a certificate. */
  linkOf(entry: AdministeredSubaccount): LinkStatus | undefined
}

/** Whose tunnel it is. */
type Holder = Pick<ConnectorIdentity, 'subaccount' | 'locationId'>

/** What it works on. */
export interface SubaccountLifecycleOptions extends HandshakeDeps {
  readonly editor: ConfigurationEditor
  readonly connector: Pick<
    CloudConnector,
    | 'add'
    | 'remove'
    | 'connect'
    | 'disconnect'
    | 'whenConnected'
    | 'synchroniseTrust'
    | 'checkBackend'
    | 'simulation'
    | 'whenChannelServed'
    | 'status'
  >
  readonly material: MaterialStore
  /** Whose certificates could not be read at the start. */
  readonly corrupted?: readonly Holder[]
}

/** Keeps document, certificates and tunnels together. */
export function createSubaccountLifecycle(options: SubaccountLifecycleOptions): SubaccountLifecycle {
  const { connector, corrupted = [], material } = options
  const editor = createMasterEditor(options.editor)
  const turns = createTurnQueue()
  /** Waits for a tunnel that was begun, but not in the turn: others may cut it meanwhile. That it does not open is told by its state. */
  const inTurn = async (work: () => Promise<Holder | undefined>): Promise<void> => {
    const begun = await turns.inTurn(work)
    if (begun !== undefined) await connector.whenConnected(AbortSignal.timeout(tunnelWaitMs), begun).catch(() => {})
  }
  const isServed = (entry: AdministeredSubaccount): boolean => connector.status.links.some((link) => isLinkOf(link, entry))
  const editedOnly = async (user: string, edit: (document: AdministeredDocument) => AdministeredDocument): Promise<undefined> => {
    await editor.change(user, edit)
    return undefined
  }
  /** Where everything is decided elsewhere, nothing is begun. */
  const requireChanges = async (user: string): Promise<void> => void (await editor.change(user, (document) => document))

  const identityOf = async ({ locationId, subaccount }: Holder): Promise<ConnectorIdentity | undefined> =>
    (await loadIdentities(material, () => {})).find((identity) => identity.subaccount === subaccount && identity.locationId === locationId)

  const takeIn = async (identity: ConnectorIdentity): Promise<void> => {
    await saveIdentity(material, identity)
    await connector.add(identity)
  }

  return {
    add: (user, subaccount) =>
      inTurn(async () => {
        await requireChanges(user)
        const { credentials, displayName, locationId, ...rest } = subaccount
        requireFree(editor.document, subaccount)
        const service: RegionService =
          credentials.kind === 'data'
            ? { url: credentials.data.url, authority: credentials.data.authority }
            : serviceOf(subaccount.regionHost, editor.document.regions)
        const enrolled = await handshake(options, { ...subaccount, service }, credentials)
        const entry = {
          regionHost: subaccount.regionHost,
          subaccount: subaccount.subaccount,
          displayName: displayName || (credentials.kind === 'data' ? enrolled.displayName : subaccount.subaccount),
          description: rest.description,
          locationId,
          autoCertRenewal: rest.autoCertRenewal,
          isManaged: rest.isManaged,
          initiatedBy: enrolled.user,
          service,
        }
        await editor.change(user, (document) => {
          requireFree(document, subaccount)
          return { ...document, subaccounts: [...document.subaccounts, administeredSubaccountSchema.parse(entry)] }
        })
        try {
          await takeIn(enrolled.identity)
          return enrolled.identity
        } catch (error) {
          await connector.remove(enrolled.identity)
          await removeIdentity(material, enrolled.identity)
          await editor.change(user, (document) => withoutSubaccount(document, subaccount))
          throw error
        }
      }),
    remove: (user, key) =>
      inTurn(async () => {
        await requireChanges(user)
        const { locationId, subaccount } = findSubaccount(editor.document, key)
        await connector.remove({ subaccount, locationId })
        // First: an identity without subaccount would be taken for one that was paired on the command line.
        await removeIdentity(material, { subaccount, locationId })
        await editor.change(user, (document) => withoutSubaccount(document, key))
        return undefined
      }),
    change: (user, key, change) =>
      inTurn(async () => {
        await requireChanges(user)
        const before = findSubaccount(editor.document, key)
        const after = { ...before, ...change }
        const edit = (document: AdministeredDocument): AdministeredDocument => editSubaccount(document, key, () => after)
        if (after.locationId === before.locationId) return await editedOnly(user, edit)
        requireFree(withoutSubaccount(editor.document, key), after)
        const identity = await identityOf(before)
        if (identity === undefined) return await editedOnly(user, edit)
        const { locationId } = after
        let moved: ConnectorIdentity
        try {
          await connector.remove(identity)
          // A copy, until the document names it: whenever a kill comes, the subaccount has its identity, and the other one is removed at the next start.
          moved = await copyIdentity(material, identity, locationId)
          await editor.change(user, edit)
        } catch (error) {
          await removeIdentity(material, { ...identity, locationId }).catch(() => {})
          await connector.add(identity)
          throw error
        }
        await connector.add(moved)
        await removeIdentity(material, identity)
        return before.connected ? moved : undefined
      }),
    setConnected: (user, key, connected) =>
      inTurn(async () => {
        await requireChanges(user)
        const entry = findSubaccount(editor.document, key)
        if (connected && !isServed(entry))
          throw conflict(`subaccount ${key.subaccount}@${key.regionHost} has no usable certificate; renew it first`)
        await editor.change(user, (document) =>
          editSubaccount(document, key, (known) => (known.connected === connected ? known : { ...known, connected })),
        )
        if (connected) await connector.connect(entry)
        else if (isServed(entry)) await connector.disconnect(entry)
        return connected ? entry : undefined
      }),
    renew: (user, key, credentials) =>
      inTurn(async () => {
        await requireChanges(user)
        const entry = findSubaccount(editor.document, key)
        if (credentials.kind === 'data' && !isSubaccount(credentials.data, key))
          throw invalidRequest(
            `the authentication data is for ${credentials.data.subaccount}@${credentials.data.regionHost}, not for ${key.subaccount}@${key.regionHost}`,
          )
        const service: RegionService =
          credentials.kind === 'data'
            ? { url: credentials.data.url, authority: credentials.data.authority }
            : (entry.service ?? serviceOf(entry.regionHost, editor.document.regions))
        const enrolled = await handshake(options, { ...entry, service }, credentials)
        await editor.change(user, (document) =>
          editSubaccount(document, key, (known) => ({ ...known, initiatedBy: enrolled.user, service })),
        )
        await takeIn(enrolled.identity)
        return entry.connected ? enrolled.identity : undefined
      }),
    async removeUnused(user) {
      let removed = 0
      await inTurn(async () => {
        await requireChanges(user)
        removed = await removeUnusedMaterial(material, editor.document.subaccounts)
        return undefined
      })
      return removed
    },
    async synchroniseTrust(user, entry) {
      await connector.synchroniseTrust(entry, user)
    },
    checkBackend: (entry, mapping, signal) => connector.checkBackend(entry, virtualNameOf(mapping), signal),
    simulationOf(entry) {
      if (isServed(entry)) return connector.simulation(entry)
      throw conflict(`subaccount ${entry.subaccount}@${entry.regionHost} has no usable certificate; renew it first`)
    },
    isCorrupted: (entry) => corrupted.some((holder) => isLinkOf(holder, entry)) && !isServed(entry),
    whenChannelServed: (entry, id) => connector.whenChannelServed(entry, id, AbortSignal.timeout(channelServedWaitMs)),
    linkOf: (entry) => connector.status.links.find((link) => isLinkOf(link, entry)),
  }
}

function isLinkOf(link: Holder, entry: AdministeredSubaccount): boolean {
  return link.subaccount === entry.subaccount && link.locationId === entry.locationId
}

function withoutSubaccount(document: AdministeredDocument, key: SubaccountKey): AdministeredDocument {
  return { ...document, subaccounts: document.subaccounts.filter((entry) => !isSubaccount(entry, key)) }
}

/** Certificates are kept by subaccount and location ID, so one installation serves each pair of them once, whatever the region. @throws RestError 409. */
function requireFree(document: AdministeredDocument, key: SubaccountKey & { readonly locationId: string }): void {
  if (document.subaccounts.some((entry) => isSubaccount(entry, key)))
    throw conflict(`Subaccount with value '${key.subaccount}@${key.regionHost}' exists already`, 'INVALID_CONFIGURATION')
  if (document.subaccounts.some((entry) => isLinkOf(key, entry)))
    throw conflict(
      `subaccount ${key.subaccount} with location ID "${key.locationId}" is served already, under another region host`,
      'INVALID_CONFIGURATION',
    )
}
