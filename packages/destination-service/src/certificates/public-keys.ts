import { X509Certificate } from 'node:crypto'
import { isPasswordRefused, type Keystore, type KeystoreEntry, kindOfName, readKeystore } from '@sallyport/keystore'
import { formatSubject } from '@sallyport/x509'
import { z } from 'zod'
import { levelOf } from '../access/caller.ts'
import type { Level, StoredEntity } from '../entities/entity-repository.ts'
import { answerByCondition, etagOf } from '../entities/etag.ts'
import { type Answer, notFound, refuse } from '../http/answer.ts'
import { apiRoot, type Route, type RouteDescription } from '../http/route.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'
import { readRecord } from './certificate-record.ts'

/** One entry of a key store, or what a certificate file holds. */
const publicKeySchema = z.object({
  Alias: z.string().optional().describe('Only key stores give names'),
  Content: z.string().describe('PEM: the certificate, then what certifies it'),
  SubjectDN: z.string(),
})

/** What the API's document says of the public side of a file. */
export const publicKeysDescription: RouteDescription = {
  tag: 'Certificates',
  summary: 'The certificates of a file, without private keys',
  answers: {
    200: { description: 'One element per entry of a key store', body: z.array(publicKeySchema) },
    304: { description: 'The caller has this version already' },
  },
  refusals: [404, 412],
}

/** What may be shown to partners: certificates without keys. */
export const publicKeyRoutes: readonly Route[] = (['subaccount', 'instance'] as const).map((level) => ({
  method: 'GET',
  path: `${apiRoot}/v1/${level}Certificates/:name/publicKeys`,
  description: publicKeysDescription,
  answer: (request, context, name) => getPublicKeys(request, context, levelOf(request.caller, level), name),
}))

/** The public side of a stored certificate or key store. */
export async function getPublicKeys(request: ServiceRequest, { repository }: ServiceContext, level: Level, name: string): Promise<Answer> {
  const stored = await repository.find('certificate', level, name)
  if (stored === undefined) return notFound
  const etag = etagOf(stored.properties)
  return answerByCondition(request.headers, etag) ?? answerOf(await open(stored), etag)
}

function answerOf(keystore: Keystore | undefined, etag: string): Answer {
  if (keystore === undefined) return refuse(400, 'The keystore is password-protected and public keys cannot be retrieved')
  return { status: 200, headers: { etag }, body: keystore.entries.map(publicKeyOf) }
}

/** `undefined` for a key store whose password nobody has told us. Of a certificate file only private keys can be locked, and nobody wants them here. */
async function open({ name, properties, hidden }: StoredEntity): Promise<Keystore | undefined> {
  const password = readRecord(hidden).generated?.attributes.password
  try {
    const content = Buffer.from(properties['Content'] ?? '', 'base64')
    // The one guess at an unknown password is not worth much work.
    const keystore = await readKeystore({ name, content, password, ...(password === undefined ? { effort: 'brief' } : {}) })
    return kindOfName(name) === 'keystore' && keystore.locked ? undefined : keystore
  } catch (error) {
    if (isPasswordRefused(error)) return undefined
    throw error
  }
}

function publicKeyOf({ alias, certificates }: KeystoreEntry): z.infer<typeof publicKeySchema> {
  return {
    ...(alias === undefined ? {} : { Alias: alias }),
    Content: certificates.join(''),
    SubjectDN: formatSubject(new X509Certificate(certificates[0] ?? '').raw),
  }
}
