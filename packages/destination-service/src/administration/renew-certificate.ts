import { certificateCollection } from '../certificates/certificate-collection.ts'
import { type Answer, refuse } from '../http/answer.ts'
import type { AdministrationContext } from './administration-context.ts'
import type { LevelRequest } from './administration-route.ts'

/** Renews a certificate that was generated here, before its time. */
export async function renewCertificate(
  { level, caller }: LevelRequest,
  { repository, upkeep }: AdministrationContext,
  name: string,
): Promise<Answer> {
  const found = await repository.findFirst('certificate', [level], name)
  if (found === undefined) return certificateCollection.absent(name)
  switch (await upkeep.renew(found, caller.user)) {
    case 'renewed':
      return { status: 200, body: { Count: 1 } }
    case 'uploaded':
      return refuse(422, 'The certificate was uploaded and can only be replaced')
    case 'changed':
      return refuse(409, 'Somebody else has changed the certificate meanwhile; read it and try again')
  }
}
