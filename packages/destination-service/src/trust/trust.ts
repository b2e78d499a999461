import { createPrivateKey } from 'node:crypto'
import type { Clock } from '@sallyport/core'
import { createSelfSignedCertificate, formatPem } from '@sallyport/x509'
import type { SigningKey } from '../authentication/authentication-request.ts'
import { endOfValidity } from '../certificates/validity.ts'
import type { KeyPairs } from '../keys/key-pairs.ts'
import { trustYears } from '../limits.ts'
import type { TrustKeyPair, TrustKeyPairs, TrustRepository, TrustRole } from './trust-repository.ts'

/** The keys by which target systems recognise assertions of a subaccount. */
export interface Trust {
  find(subaccountId: string): Promise<TrustKeyPairs | undefined>
  /** Makes a key pair, which takes seconds, and puts it where the role's was. `undefined` for a passive one where there is no active one. */
  generate(subaccountId: string, role: TrustRole): Promise<TrustKeyPair | undefined>
  removePassive(subaccountId: string): Promise<boolean>
  rotate(subaccountId: string): Promise<TrustKeyPairs | undefined>
  /** What assertions are signed with from now on. */
  signingKey(subaccountId: string): Promise<SigningKey | undefined>
}

/** Key pairs are made on demand only: trust is something that an administrator establishes. */
export function createTrust(deps: {
  readonly landscape: string
  readonly repository: TrustRepository
  readonly keyPairs: KeyPairs
  readonly clock: Clock
}): Trust {
  const { landscape, repository, keyPairs, clock } = deps
  const issuerOf = (subaccountId: string): string => `cfapps.${landscape}/${subaccountId}`
  return {
    find: (subaccountId) => repository.find(subaccountId),
    removePassive: (subaccountId) => repository.removePassive(subaccountId),
    rotate: (subaccountId) => repository.rotate(subaccountId),
    async generate(subaccountId, role) {
      // Asked before seconds are spent, and once more when the pair is stored.
      if (role === 'passive' && (await repository.find(subaccountId)) === undefined) return undefined
      const { publicKey, privateKey } = await keyPairs.generate()
      const nowMs = clock.now()
      const certificate = createSelfSignedCertificate(
        {
          subject: [
            { type: 'CN', value: issuerOf(subaccountId) },
            { type: 'OU', value: 'Destination Configuration' },
            { type: 'O', value: 'Sallyport' },
          ],
          publicKey,
          notBefore: new Date(nowMs),
          notAfter: new Date(endOfValidity(nowMs, { unit: 'YEARS', value: trustYears })),
          extensions: {},
        },
        privateKey,
      )
      const pair = {
        certificate: formatPem('CERTIFICATE', certificate),
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      }
      return (await repository.put(subaccountId, role, pair, { nowMs })) ? pair : undefined
    },
    async signingKey(subaccountId) {
      const pairs = await repository.find(subaccountId)
      if (pairs === undefined) return undefined
      const { privateKey, certificate } = pairs.active
      return { privateKey: createPrivateKey(privateKey), certificate, issuer: issuerOf(subaccountId) }
    },
  }
}
