import type { DestinationRecord, FindResult } from '@sallyport/admin-api'
import { bearerTokenOf } from '../access/bearer-token.ts'
import { levelOf } from '../access/caller.ts'
import type { AuthenticationOutcome } from '../authentication/authentication-request.ts'
import { authenticateThroughChain } from '../chains/authenticate-through-chain.ts'
import { parseChainCall } from '../chains/chain-call.ts'
import type { FoundEntity, Level } from '../entities/entity-repository.ts'
import { answerByCondition } from '../entities/etag.ts'
import { type Answer, malformed, refuse } from '../http/answer.ts'
import { flag, type Query, single } from '../http/query.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'
import { type FindHeaders, parseFindHeaders } from './find-headers.ts'
import { fragmentLevel, parseLeveledName } from './level-words.ts'
import { createReferences } from './referenced-entities.ts'
import { type DestinationReference, type ResolvedDestination, resolveDestination } from './resolve-destination.ts'
import { shownProperties } from './shown-properties.ts'

/** `GET /v1/destinations/{name}`: the caller's instance level first, then its subaccount; the first that has the name, never a mixture. */
export function findDestination(request: ServiceRequest, context: ServiceContext, name: string): Promise<Answer> {
  const { caller } = request
  const metadata = readMetadata(request.query, ['labels'])
  return lookUp(request, context, {
    target: {
      name,
      levels: [levelOf(caller, 'instance'), levelOf(caller, 'subaccount')],
      // Exactly where the destination was found.
      locate: (fragment, level) => ({ name: fragment, level }),
    },
    shownAs: metadata.length === 0 ? 'v1' : undefined,
    show: (found, configuration, outcome): FindResult => ({
      owner: ownerOf(found.level),
      destinationConfiguration: withMetadata(found, configuration, metadata),
      ...outcome,
    }),
  })
}

/** `GET /v2/destinations/{name}@{level}`: exactly that level, the instance's when none is given. */
export async function consumeDestination(request: ServiceRequest, context: ServiceContext, reference: string): Promise<Answer> {
  const { caller } = request
  if (caller.tokenKind === 'IAS') return refuse(422, 'Tokens of identity services are not accepted here; use /v1/destinations')
  const { name, word = 'instance' } = parseLeveledName(reference, 'destination')
  const metadata = readMetadata(request.query, ['owner', 'labels'])
  return lookUp(request, context, {
    target: {
      name,
      levels: [levelOf(caller, word)],
      locate(fragment) {
        const leveled = parseLeveledName(fragment, 'fragment')
        return { name: leveled.name, level: fragmentLevel(caller, leveled, word) }
      },
    },
    shownAs: metadata.length === 0 ? 'v2' : undefined,
    show: (found, configuration, outcome) => ({
      destinationConfiguration: withMetadata(found, configuration, metadata),
      ...outcome,
    }),
  })
}

interface LookUp {
  readonly target: Pick<DestinationReference, 'name' | 'levels'> & { readonly locate: DestinationReference['fragments']['locate'] }
  /** Names what `show` does; without it what is shown depends on more than its parameters. */
  readonly shownAs: 'v1' | 'v2' | undefined
  readonly show: (
    found: ResolvedDestination,
    configuration: DestinationRecord,
    outcome: Pick<FindResult, 'authTokens' | 'certificates'>,
  ) => unknown
}

/** Everything the two versions share: headers, look-up, conditions, tokens. */
async function lookUp(request: ServiceRequest, context: ServiceContext, { target, show, shownAs }: LookUp): Promise<Answer> {
  const { repository, authenticator, trust } = context
  const headers = parseFindHeaders(request.headers)
  const chain = parseChainCall(request.headers)
  refuseTwoTenants(headers, context)
  const [skipTokenRetrieval, skipCredentials] = [flag(request.query, '$skipTokenRetrieval'), flag(request.query, '$skipCredentials')]
  const { name, levels, locate } = target
  const found = await resolveDestination(repository, {
    name,
    levels,
    fragments: { locate, references: headers.fragments, optional: headers.fragmentOptional },
  })
  if ('answer' in found) return found.answer
  const { configuration, etag } = found
  const early = answerByCondition(request.headers, etag)
  if (early !== undefined) return early
  const authenticate = (destination: ResolvedDestination, said: FindHeaders): Promise<AuthenticationOutcome> =>
    authenticator.authenticate({
      configuration: destination.configuration,
      level: destination.level,
      etag: destination.etag,
      headers: said,
      caller: request.caller,
      serviceToken: bearerTokenOf(request.headers.authorization) ?? '',
      skipTokenRetrieval,
      references: createReferences(repository, destination, () => trust.signingKey(destination.level.subaccountId)),
      log: request.log,
    })
  const outcome =
    chain === undefined || skipTokenRetrieval
      ? await authenticate(found, headers)
      : await authenticateThroughChain(chain, { found, headers }, { caller: request.caller, repository, authenticate })
  const showAll = (): unknown => show(found, shownProperties(configuration, { skipCredentials }), outcome)
  const { authTokens: [token, ...more] = [], certificates } = outcome
  // Only what is asked for over and over is remembered.
  if (shownAs === undefined || skipCredentials || more.length > 0 || certificates !== undefined)
    return { status: 200, headers: { etag }, body: showAll() }
  return {
    status: 200,
    headers: { etag },
    text: context.answerTexts.of(found.stored, [shownAs, found.level, configuration, token], showAll),
  }
}

/** A header and a user token that each name a tenant leave open which one is meant. A user token without any may have the header beside it. */
function refuseTwoTenants({ tenant, userToken }: FindHeaders, { verifier }: ServiceContext): void {
  if (tenant === undefined || userToken === undefined) return
  const claims = verifier.decode(userToken)
  const namesTenant = claims === undefined || [claims.ext_attr?.zdn, claims.zid, claims.app_tid].some((id) => id !== undefined && id !== '')
  if (namesTenant) throw malformed("The headers 'X-tenant' and 'X-user-token' cannot be sent together")
}

type MetadataKey = 'owner' | 'labels'

/** Documents spell the parameter with and without the dollar sign. */
function readMetadata(query: Query, allowed: readonly MetadataKey[]): readonly MetadataKey[] {
  const text = single(query, '$includeMetadata') ?? single(query, 'includeMetadata')
  if (text === undefined) return []
  return text.split(';').map((key) => {
    const known = allowed.find((candidate) => candidate === key.trim())
    if (known === undefined) throw malformed(`$includeMetadata can be ${allowed.join(';')}`)
    return known
  })
}

function withMetadata(found: ResolvedDestination, configuration: DestinationRecord, keys: readonly MetadataKey[]): DestinationRecord {
  if (keys.length === 0) return configuration
  const $metadata = {
    ...(keys.includes('owner') ? { owner: ownersOf(found) } : {}),
    ...(keys.includes('labels') ? { labels: found.stored.labels } : {}),
  }
  return { ...configuration, $metadata } as unknown as DestinationRecord
}

/** Where everything comes from that the answer is made of. */
function ownersOf({ stored, level, fragments, certificates }: ResolvedDestination): unknown {
  return {
    destinations: [{ Name: stored.name, ...ownerOf(level) }],
    certificates: certificates.map((found) => ({ Name: found.entity.name, ...ownerOf(found.level) })),
    fragments: fragments.map((found: FoundEntity) => ({ FragmentName: found.entity.name, ...ownerOf(found.level) })),
  }
}

function ownerOf(level: Level): FindResult['owner'] {
  return { SubaccountId: level.subaccountId, InstanceId: level.instanceId }
}
