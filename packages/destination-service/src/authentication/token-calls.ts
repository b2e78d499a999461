import { createHash } from 'node:crypto'
import { type Clock, ConnectivityError } from '@sallyport/core'
import type { AuthenticationRequest } from './authentication-request.ts'
import { type AssertionSource, assertionFor } from './client-assertion.ts'
import { proveClient } from './client-authentication.ts'
import type { AuthenticationSettings } from './flow.ts'
import type { KeystoreReader } from './keystore-reader.ts'
import type { Outgoing } from './outgoing.ts'
import { type OutgoingAnswer, type OutgoingRequest, usualTls } from './outgoing-request.ts'
import { required } from './property-reading.ts'
import { subdomainFor, type TenantSource } from './tenant.ts'
import { createSettledCalls } from './settled-calls.ts'
import { clientKeyPair, tlsSettings } from './tls-settings.ts'
import { type IssuedToken, readTokenAnswer } from './token-answer.ts'
import type { TokenCache } from './token-cache.ts'
import { tokenRequest } from './token-request.ts'
import { tokenProxyType, tokenRoute } from './token-route.ts'
import { resolveTokenUrl } from './token-url.ts'
import type { UserTokens } from './user-token.ts'

/** What a flow asks a token service for. */
export interface TokenOrder {
  /** `grant_type` and the fields of the flow. */
  readonly grant: Readonly<Record<string, string>>
  readonly tenant: TenantSource
  /** The property that names the client, `clientId` unless told. Where it is `clientKey` the id is always in the form. */
  readonly clientProperty?: 'clientKey'
  /** Whether a client assertion may stand in for the secret. */
  readonly assertions?: boolean
  /** The token service is never on premise, whatever the destination says. */
  readonly alwaysInternet?: boolean
}

/** Calls of token services as destinations describe them. */
export interface TokenCalls {
  /**
   * Everything about a call but the call itself.
   *
   * @throws ConnectivityError when the destination or the headers do not yield one.
   */
  prepare(request: AuthenticationRequest, order: TokenOrder): Promise<OutgoingRequest>
  /** Makes a call for a token. @throws ConnectivityError what {@link Outgoing.send} and {@link readTokenAnswer} throw. */
  issue(call: OutgoingRequest): Promise<IssuedToken>
  /** Makes a call for something else. */
  send(call: OutgoingRequest): Promise<OutgoingAnswer>
  /**
   * The remembered token, or what `issue` returns. Tokens are shared between callers only where destination, version and `dependsOn` are the same, which has to
   * hold everything else that matters.
   */
  remembered(request: AuthenticationRequest, dependsOn: unknown, issue: () => Promise<IssuedToken>): Promise<IssuedToken>
  /** What `issue` returns, counted as a call but neither remembered nor shared. */
  unshared(request: AuthenticationRequest, issue: () => Promise<IssuedToken>): Promise<IssuedToken>
}

/** What calling token services takes. */
export interface TokenCallsDeps {
  readonly outgoing: Outgoing
  readonly cache: TokenCache
  readonly users: UserTokens
  readonly readKeystore: KeystoreReader
  /** Gets assertions that another destination makes. */
  readonly assertions: AssertionSource
  readonly clock: Clock
  readonly settings: AuthenticationSettings
  /** Ends calls that are under way. */
  readonly closing: AbortSignal
}

/** Puts the parts of a call together. */
export function createTokenCalls(deps: TokenCallsDeps): TokenCalls {
  const { outgoing, cache, users, readKeystore, clock, settings, closing } = deps
  const send: TokenCalls['send'] = (call) => outgoing.send(call, closing)
  const settled = createSettledCalls()

  const prepareNow: TokenCalls['prepare'] = async (request, order) => {
    const { configuration, references, level } = request
    const clientId = required(configuration, order.clientProperty ?? 'clientId')
    const subdomain = await subdomainFor(order.tenant, request, { users, settings })
    const url = resolveTokenUrl(configuration, subdomain)
    const proxyType = order.alwaysInternet === true ? 'Internet' : tokenProxyType(configuration)
    const route = tokenRoute(proxyType, url, level, configuration)
    const assertion = order.assertions === true ? await assertionFor(request, deps.assertions) : undefined
    const keyPair = assertion === undefined ? await clientKeyPair({ configuration, references, readKeystore }, proxyType) : undefined
    if (keyPair !== undefined && url.protocol !== 'https:')
      throw new ConnectivityError('DESTINATION_INVALID', 'The property tokenService.KeyStoreLocation needs a tokenServiceURL with https')
    return tokenRequest(configuration, {
      url,
      route,
      tls: url.protocol === 'https:' ? await tlsSettings({ configuration, references, readKeystore }, keyPair) : usualTls,
      grant: order.grant,
      proof: proveClient(configuration, {
        clientId,
        assertion,
        certificate: keyPair !== undefined,
        idAlwaysInForm: order.clientProperty === 'clientKey',
      }),
    })
  }

  return {
    prepare: (request, order) => settled.get(request, order, () => prepareNow(request, order)),
    send,
    issue: async (call) => readTokenAnswer(await send(call), call, clock.now()),
    remembered(request, dependsOn, issue) {
      const { level, configuration, etag } = request
      const digest = settled.digest(dependsOn, () =>
        createHash('sha256')
          .update(
            JSON.stringify([level.subaccountId, level.instanceId, configuration.Name, etag, configuration['FragmentName'], dependsOn]),
          )
          .digest('base64'),
      )
      return cache.get({ subaccountId: level.subaccountId, digest }, issue)
    },
    unshared: (request, issue) => cache.issueAlone(request.level.subaccountId, issue),
  }
}
