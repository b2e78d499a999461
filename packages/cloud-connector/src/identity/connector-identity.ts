import { X509Certificate } from 'node:crypto'
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
 * Reads an identity back; `undefined` when this connector has not been paired.
 *
 * @throws ConnectivityError `STORE_FAILED` when what is kept is not an identity.
 */
export async function loadIdentity(
  store: MaterialStore,
  holder: Pick<ConnectorIdentity, 'subaccount' | 'locationId'>,
): Promise<ConnectorIdentity | undefined> {
  const text = await store.load(identityName(holder))
  if (text === undefined) return undefined
  const fields = JSON.parse(text) as Record<string, unknown>
  const names = ['subaccount', 'locationId', 'connectorId', 'description', 'tunnelEndpoint', 'certificate', 'key', 'authorities']
  if (names.some((name) => typeof fields[name] !== 'string')) {
    throw new ConnectivityError('STORE_FAILED', 'the identity that is kept lacks a member; pair the connector again')
  }
  return { ...(fields as unknown as ConnectorIdentity), key: createSecret(String(fields['key'])) }
}

/** Name under which something of a subaccount and location is kept. */
export function materialName(kind: string, { locationId, subaccount }: Pick<ConnectorIdentity, 'subaccount' | 'locationId'>): string {
  // Both are encoded, so that no pair of names can be taken for another.
  return `${kind} ${encodeURIComponent(subaccount)} ${encodeURIComponent(locationId)}`
}

/** When the subaccount certificate begins and ends to be valid. */
export function identityValidity(identity: ConnectorIdentity): { readonly notBeforeMs: number; readonly notAfterMs: number } {
  const certificate = new X509Certificate(identity.certificate)
  return { notBeforeMs: certificate.validFromDate.getTime(), notAfterMs: certificate.validToDate.getTime() }
}

function identityName(holder: Pick<ConnectorIdentity, 'subaccount' | 'locationId'>): string {
  return materialName('identity', holder)
}
