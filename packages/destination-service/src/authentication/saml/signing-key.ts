import { createPrivateKey } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'
import type { AuthenticationRequest } from '../authentication-request.ts'
import { readKeyPair } from '../key-material.ts'
import type { KeystoreReader } from '../keystore-reader.ts'
import type { AssertionSigner } from './signature.ts'

/** Who signs, and under which name. */
export interface AssertionAuthority extends AssertionSigner {
  readonly issuer: string
}

/**
 * The key of a destination's assertions: the one of `KeyStoreLocation`, else the subaccount's active trust key.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` when there is none.
 */
export async function assertionAuthority(
  { configuration, references, level }: AuthenticationRequest,
  deps: { readonly readKeystore: KeystoreReader; readonly landscape: string },
): Promise<AssertionAuthority> {
  const location = configuration['KeyStoreLocation']
  if (location) {
    const { certificates, privateKey } = await readKeyPair(
      { references, readKeystore: deps.readKeystore },
      { property: 'KeyStoreLocation', location, password: configuration['KeyStorePassword'] },
    )
    const issuer = configuration['assertionIssuer'] || `cfapps.${deps.landscape}/${level.subaccountId}`
    return { privateKey: createPrivateKey(privateKey), certificate: certificates[0], issuer }
  }
  const key = await references.signingKey()
  if (key === undefined) {
    throw new ConnectivityError('DESTINATION_INVALID', `Keypair for subaccount - ${level.subaccountId} does not exist`)
  }
  return { ...key, issuer: configuration['assertionIssuer'] || key.issuer }
}
