import { ConnectivityError, createSecret, type Secret } from '@sallyport/core'
import type { MaterialStore } from './material-store.ts'

/** What a pairing leaves behind: who this connector is towards one subaccount, and whom it trusts there. */
export interface ConnectorIdentity {
  readonly subaccount: string
  readonly locationId: string
  /** Of the installation. */
  readonly connectorId: string
  readonly description: string
  /** Such as `tls://proxy.example.org:8042`. */
  readonly tunnelEndpoint: string
  /** PEM of the subaccount certificate. */
  readonly certificate: string
  /** PEM, PKCS #8. */
  readonly key: Secret
  /** PEM of the authorities that sign the tunnel listener. */
  readonly authorities: string
}

/** Keeps an identity, sealed, under the name of its subaccount and location. */
export async function saveIdentity(store: MaterialStore, identity: ConnectorIdentity): Promise<void> {
  await store.save(identityName(identity), JSON.stringify({ ...identity, key: identity.key.reveal() }))
}

/**
 * Reads back every identity that is kept: one for each subaccount and location this connector has been paired with. One that was tampered with is told to
 * `onUnusable` and left out; without it, nothing is read.
 *
 * @throws ConnectivityError `STORE_FAILED` when something that is kept is not an identity, and nobody hears of it.
 */
export async function loadIdentities(
  store: MaterialStore,
  onUnusable?: (holder: Pick<ConnectorIdentity, 'subaccount' | 'locationId'>) => void,
): Promise<readonly ConnectorIdentity[]> {
  const names = (await store.names()).filter((name) => name.startsWith('identity '))
  const identities = await Promise.all(
    names.map(async (name) => {
      try {
        const text = await store.load(name)
        return text === undefined ? undefined : parseIdentity(text)
      } catch (error) {
        if (onUnusable === undefined) throw error
        const [subaccount = '', locationId = ''] = name.split(' ').slice(1).map(decodeURIComponent)
        onUnusable({ subaccount, locationId })
        return undefined
      }
    }),
  )
  return identities.filter((identity) => identity !== undefined)
}

/**
 * Forgets an identity and everything that is kept for it: trust list, generated keys, counters. The certificate stays valid; revoking it is the cloud side's
 * business.
 */
export async function removeIdentity(store: MaterialStore, holder: Pick<ConnectorIdentity, 'subaccount' | 'locationId'>): Promise<void> {
  for (const name of await namesOf(store, holder)) await store.remove(name)
}

/**
 * Puts a copy of an identity at another location, with everything that is kept for it. What is there already is replaced. A move ends with `removeIdentity`; the
 * copy has the same certificate, which shows after a kill what was one.
 */
export async function copyIdentity(store: MaterialStore, identity: ConnectorIdentity, locationId: string): Promise<ConnectorIdentity> {
  const copy = { ...identity, locationId }
  for (const name of await namesOf(store, identity)) {
    if (name === identityName(identity)) continue
    const text = await store.load(name)
    if (text !== undefined) await store.save(materialName(kindOf(name), copy), text)
  }
  await saveIdentity(store, copy)
  return copy
}

async function namesOf(store: MaterialStore, holder: Pick<ConnectorIdentity, 'subaccount' | 'locationId'>): Promise<readonly string[]> {
  return (await store.names()).filter((name) => name === materialName(kindOf(name), holder))
}

/** Names are a kind, the subaccount and the location; the last two have no blanks in them. */
function kindOf(name: string): string {
  return name.split(' ').slice(0, -2).join(' ')
}

function parseIdentity(text: string): ConnectorIdentity {
  const fields = JSON.parse(text) as Record<string, unknown>
  const members = ['subaccount', 'locationId', 'connectorId', 'description', 'tunnelEndpoint', 'certificate', 'key', 'authorities']
  if (members.some((name) => typeof fields[name] !== 'string')) {
    throw new ConnectivityError('STORE_FAILED', 'an identity that is kept lacks a member; pair the connector again')
  }
  return { ...(fields as unknown as ConnectorIdentity), key: createSecret(String(fields['key'])) }
}

/** Name under which something of a subaccount and location is kept. */
export function materialName(kind: string, { locationId, subaccount }: Pick<ConnectorIdentity, 'subaccount' | 'locationId'>): string {
  // Both are encoded, so that no pair of names can be taken for another.
  return `${kind} ${encodeURIComponent(subaccount)} ${encodeURIComponent(locationId)}`
}

function identityName(holder: Pick<ConnectorIdentity, 'subaccount' | 'locationId'>): string {
  return materialName('identity', holder)
}
