import type { DestinationRecord, FindResult } from '@sallyport/admin-api'
import { type Answer, malformed, notFound, refuse } from '../http/answer.ts'
import { bearerTokenOf, type LevelName, levelNames, levelOf } from '../access/caller.ts'
import type { Level } from '../entities/entity-repository.ts'
import { answerByCondition, etagOf } from '../entities/etag.ts'
import { type FindHeaders, parseFindHeaders } from './find-headers.ts'
import { flag, single } from '../http/query.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'
import { shownProperties } from './shown-properties.ts'

/** `GET /v1/destinations/{name}`: the caller's instance level first, then its subaccount; the first that has the name, never a mixture. */
export async function findDestination(request: ServiceRequest, context: ServiceContext, name: string): Promise<Answer> {
  const found = await resolve(request, context, name, [levelOf(request.caller, 'instance'), levelOf(request.caller, 'subaccount')])
  if ('answer' in found) return found.answer
  const { level, etag, ...result } = found
  const body: FindResult = { owner: ownerOf(level), ...result }
  return { status: 200, headers: { etag }, body }
}

/** `GET /v2/destinations/{name}@{level}`: exactly that level, the instance's when none is given. */
export async function consumeDestination(request: ServiceRequest, context: ServiceContext, reference: string): Promise<Answer> {
  const at = reference.lastIndexOf('@')
  const name = at === -1 ? reference : reference.slice(0, at)
  const word = at === -1 ? 'instance' : reference.slice(at + 1)
  if (!isLevelName(word)) throw malformed(`The level of a destination must be one of ${levelNames.join(', ')}`)
  const metadata = [single(request.query, '$includeMetadata'), single(request.query, 'includeMetadata')].find(
    (value) => value !== undefined,
  )
  if (metadata !== undefined && metadata !== 'owner') throw malformed('$includeMetadata can be owner')
  const found = await resolve(request, context, name, [levelOf(request.caller, word)])
  if ('answer' in found) return found.answer
  const { level, etag, destinationConfiguration, ...result } = found
  const owner = { destinations: [{ Name: destinationConfiguration.Name, ...ownerOf(level) }], certificates: [], fragments: [] }
  const configuration = metadata === undefined ? destinationConfiguration : { ...destinationConfiguration, $metadata: { owner } }
  return { status: 200, headers: { etag }, body: { destinationConfiguration: configuration, ...result } }
}

interface Resolved extends Omit<FindResult, 'owner'> {
  readonly level: Level
  readonly etag: string
}

/** Everything the two versions share: headers, look-up, conditions, tokens. */
async function resolve(
  request: ServiceRequest,
  context: ServiceContext,
  name: string,
  levels: readonly Level[],
): Promise<Resolved | { readonly answer: Answer }> {
  const headers = parseFindHeaders(request.headers)
  refuseTwoTenants(headers, context)
  const [skipTokenRetrieval, skipCredentials] = [flag(request.query, '$skipTokenRetrieval'), flag(request.query, '$skipCredentials')]
  const found = await context.repository.findFirst('destination', levels, name)
  if (found === undefined) return { answer: notFound }
  const missing = headers.fragments.length === 1 && headers.fragmentOptional ? undefined : headers.fragments[0]
  // This version stores no fragments, so each one asked for is missing.
  if (missing !== undefined) return { answer: refuse(404, `The fragment with the specified name '${missing}' was not found`) }
  const { level, entity } = found
  const properties = entity.properties as DestinationRecord
  const etag = etagOf(properties)
  const early = answerByCondition(request.headers, etag)
  if (early !== undefined) return { answer: early }
  const destinationConfiguration = shownProperties(properties, { skipCredentials })
  const outcome = await context.authenticator.authenticate({
    configuration: properties,
    level,
    etag,
    headers,
    caller: request.caller,
    serviceToken: bearerTokenOf(request.headers.authorization) ?? '',
    skipTokenRetrieval,
    references: {
      certificate: async (certificate) => {
        const { subaccountId } = level
        return (await context.repository.findFirst('certificate', [level, { subaccountId, instanceId: null }], certificate))?.entity
      },
      destination: async (other) => {
        const referenced = await context.repository.find('destination', level, other)
        if (referenced === undefined) return undefined
        return { configuration: referenced.properties as DestinationRecord, level, etag: etagOf(referenced.properties) }
      },
      signingKey: async () => undefined,
    },
    log: request.log,
  })
  return { level, etag, destinationConfiguration, ...outcome }
}

/** A header and a user token that each name a tenant leave open which one is meant. A user token without any may have the header beside it. */
function refuseTwoTenants({ tenant, userToken }: FindHeaders, { verifier }: ServiceContext): void {
  if (tenant === undefined || userToken === undefined) return
  const claims = verifier.decode(userToken)
  const namesTenant = claims === undefined || [claims.ext_attr?.zdn, claims.zid, claims.app_tid].some((id) => id !== undefined && id !== '')
  if (namesTenant) throw malformed("The headers 'X-tenant' and 'X-user-token' cannot be sent together")
}

function isLevelName(word: string): word is LevelName {
  return (levelNames as readonly string[]).includes(word)
}

function ownerOf(level: Level): FindResult['owner'] {
  return { SubaccountId: level.subaccountId, InstanceId: level.instanceId }
}
