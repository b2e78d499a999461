import type { EncryptionStatus } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import { requireAudit } from '../entities/change-record.ts'
import { type Answer, refuse } from '../http/answer.ts'
import type { ServiceRequest } from '../http/service-request.ts'
import type { AdministrationContext } from './administration-context.ts'
import { encryptionDescriptions } from './route-descriptions.ts'
import { type AdministrationRoute, type LevelOperation, onSubaccount } from './administration-route.ts'

/** Changes what the data of subaccounts is encrypted with. Errors are those of a store with keys of customers. */
export interface SubaccountEncryption {
  find(subaccountId: string): Promise<EncryptionStatus>
  /** Takes the key into use that the operator has named. @returns `false` when it was. @throws ConnectivityError `NOT_FOUND` when there is none. */
  use(subaccountId: string): Promise<boolean>
  /** Takes the newest version into use. @throws ConnectivityError `NOT_FOUND` when no key of the customer is in use. */
  rotate(subaccountId: string): Promise<void>
  /** @returns `false` when none was in use. */
  release(subaccountId: string): Promise<boolean>
}

const path = '/encryption'

/** Keys of subaccounts are for those who look after its other keys. */
export const encryptionRoutes: readonly AdministrationRoute[] = (
  [
    { method: 'GET', path, area: 'trust', action: 'view', description: encryptionDescriptions.read, answer: getEncryption },
    {
      method: 'PUT',
      path: `${path}/customerKey`,
      area: 'trust',
      action: 'manage',
      description: encryptionDescriptions.use,
      answer: changing('use', 'is encrypted with a key of its owner'),
    },
    {
      method: 'POST',
      path: `${path}/customerKey/rotate`,
      area: 'trust',
      action: 'manage',
      description: encryptionDescriptions.rotate,
      answer: changing('rotate', 'is encrypted with the newest version of the key of its owner'),
    },
    {
      method: 'DELETE',
      path: `${path}/customerKey`,
      area: 'trust',
      action: 'manage',
      description: encryptionDescriptions.release,
      answer: changing('release', 'is not encrypted with a key of its owner any more'),
    },
  ] satisfies readonly LevelOperation[]
).map(onSubaccount)

async function getEncryption({ caller }: ServiceRequest, { administration }: AdministrationContext): Promise<Answer> {
  return { status: 200, body: (await administration.encryption?.find(caller.subaccountId)) ?? { keyOwner: 'operator', offered: false } }
}

function changing(verb: 'use' | 'rotate' | 'release', done: string): LevelOperation['answer'] {
  return async ({ caller, log, correlationId }, { administration, audit }) => {
    const { subaccountId, user } = caller
    const { encryption } = administration
    if (encryption === undefined) return refuse(404, 'The operator offers no keys of customers')
    requireAudit({ audit })
    let changed: boolean | void
    try {
      changed = await encryption[verb](subaccountId)
    } catch (error) {
      // An administrator may know, whoever asks for a destination may not.
      if (!ConnectivityError.is(error, 'ENCRYPTION_KEY_UNAVAILABLE')) throw error
      return refuse(422, 'The key management system does not let the key be used; nothing was changed')
    }
    if (changed === false) return verb === 'release' ? refuse(404, 'The subaccount is not encrypted with a key of its owner') : getStatus()
    log.info({ subaccount: subaccountId, correlationId }, 'the encryption of the subaccount was changed')
    audit?.write({
      type: 'configuration-changed',
      subaccount: subaccountId,
      category: 'Encryption',
      user,
      message: `the subaccount ${done}`,
      correlationId,
    })
    await audit?.flushed()
    return getStatus()

    async function getStatus(): Promise<Answer> {
      return { status: 200, body: await encryption?.find(subaccountId) }
    }
  }
}
