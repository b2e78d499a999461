import type { AdministeredCertificate } from '@sallyport/admin-api'
import type { Answer } from '../http/answer.ts'
import type { AdministrationContext } from './administration-context.ts'
import type { LevelRequest } from './administration-route.ts'

/** Names and labels of the certificates of a level. */
export async function listCertificates({ level }: LevelRequest, { repository }: AdministrationContext): Promise<Answer> {
  const body: readonly AdministeredCertificate[] = (await repository.index('certificate', level)).map((entry) => ({
    name: entry.name,
    labels: entry.labels,
    sharedWithSubscriber: entry.sharedWithSubscriber,
    modifiedAtMs: entry.modifiedAtMs,
  }))
  return { status: 200, body }
}
