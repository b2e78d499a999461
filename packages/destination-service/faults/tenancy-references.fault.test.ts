import { createTestCa, type TestIdentity } from '@sallyport/test-fixtures'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Found } from '../conformance/look-up.ts'
import {
  type Answered,
  clientId,
  instanceId,
  otherClientId,
  otherInstanceId,
  providerSubaccount,
  type RunningService,
  startService,
} from '../conformance/running-service.ts'
import { isSignedBy } from '../conformance/saml-assertion.ts'
import { startTokenServer, type TokenServer } from '../conformance/token-server.ts'
import { levelKey, type LevelKey, type Tenant, type Word } from './tenancy-model.ts'

const tenants: readonly (Tenant & { readonly client: string })[] = [providerSubaccount, 's', 'S'].flatMap((subaccount) => [
  { subaccount, instance: instanceId, client: clientId, provider: providerSubaccount },
  { subaccount, instance: otherInstanceId, client: otherClientId, provider: providerSubaccount },
])
/** What every tenant calls by the same names: what is looked up, and what is only named by that. */
const targets = ['keys', 'signed', 'signed-by-keys', 'asserted', 'plain', 'chained'] as const
const things = [...targets, 'p', 's', 'k.pem', 'p', 's', 'k.pem'] as const
type Thing = (typeof things)[number]

let running: RunningService
let tokenServer: TokenServer
const identities = new Map<LevelKey, TestIdentity>()
beforeAll(async () => {
  tokenServer = await startTokenServer()
  // A token says whose destinations it was made of: of the URL, and of the tokens in the form.
  tokenServer.answer((call, response) => {
    const made = [...new Set(markersIn(call.url, ...[...call.form.values()].flatMap((value) => [value, payloadOf(value)])))].toSorted()
    const value = call.url.startsWith('/jwt') ? running.issuer.user(made.join(' '), { scope: [] }) : ['token', ...made].join('.')
    response.writeHead(200).end(JSON.stringify({ access_token: value, token_type: 'bearer', expires_in: 600 }))
  })
  running = await startService()
  const ca = createTestCa()
  for (const tenant of tenants)
    for (const word of ['subaccount', 'instance'] as const)
      identities.set(levelKey(tenant, word), ca.issue({ subject: '/CN=x', keyType: 'rsa' }))
})
afterAll(async () => {
  await running.close()
  await tokenServer.close()
})

const markersIn = (...texts: readonly string[]): string[] => texts.flatMap((text) => text.match(/marker-\d+/g) ?? [])
const payloadOf = (token: string): string => Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')

const step = fc.record({
  who: fc.nat(tenants.length - 1),
  action: fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), thing: fc.constantFrom(...things) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), thing: fc.constantFrom(...things) }) },
    { weight: 14, arbitrary: fc.record({ kind: fc.constant('find' as const), target: fc.constantFrom(...targets) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('trust' as const, 'read trust' as const) }) },
  ),
  level: fc.constantFrom('subaccount' as const, 'instance' as const),
  /** How something is looked up: as version 1 does it, or on a level. */
  word: fc.constantFrom(undefined, undefined, ...(['subaccount', 'instance', 'provider_subaccount', 'provider_instance'] as const)),
  pauseMs: fc.constantFrom(0, 0, 0, 0, 100_000),
})

/** Who owns what: markers by level and name, and the trust certificates of subaccounts. */
const owned = new Map<LevelKey, Map<Thing, string>>()
const trusted = new Map<string, string>()
const of = (level: LevelKey): Map<Thing, string> => {
  const known = owned.get(level) ?? new Map<Thing, string>()
  owned.set(level, known)
  return known
}

describe('what destinations name', () => {
  it(
    'is only what its own level, subaccount or caller has, however many others have something of that name',
    { timeout: 90_000 },
    async () => {
      const seen = new Map<string, number>()
      for (const each of fc.sample(step, 1_500)) {
        running.clock.advance(each.pauseMs)
        const { outcome, observed, expected } = await carryOut(each, tenants[each.who])
        expect({ each, ...observed }).toEqual({ each, ...expected })
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
      }
      // Nothing of this holds because nothing was ever there.
      for (const target of targets) expect({ target, whole: (seen.get(`${target} whole`) ?? 0) > 10 }).toEqual({ target, whole: true })
      for (const target of ['keys', 'signed-by-keys', 'asserted', 'chained'])
        expect({ target, broken: (seen.get(`${target} broken`) ?? 0) > 2 }).toEqual({ target, broken: true })
      expect(running.logged.join('\n')).not.toMatch(/marker-\d+/)
      expect(running.logged.join('\n')).not.toContain('"level":"error"')
    },
  )
})

/** What was seen, and what should have been. */
interface Seen {
  readonly outcome: string
  readonly observed: Readonly<Record<string, unknown>>
  readonly expected: Readonly<Record<string, unknown>>
}

let serial = 0

async function carryOut(
  { action, level: at, word }: typeof step extends fc.Arbitrary<infer Step> ? Step : never,
  tenant: (typeof tenants)[number],
): Promise<Seen> {
  const send = (method: string, path: string, more: Parameters<RunningService['call']>[2] = {}): Promise<Answered> =>
    running.call(method, path, { token: running.token(tenant), ...more })
  const level = levelKey(tenant, at)
  const entities = of(level)
  switch (action.kind) {
    case 'write': {
      const marker = `marker-${serial++}`
      const isKnown = entities.has(action.thing)
      const path = `/v1/${at}${action.thing === 'k.pem' ? 'Certificates' : 'Destinations'}`
      const { status } = await send(isKnown ? 'PUT' : 'POST', path, { body: entityOf(action.thing, marker, level) })
      entities.set(action.thing, marker)
      return { outcome: 'written', observed: { status }, expected: { status: isKnown ? 200 : 201 } }
    }
    case 'remove': {
      const { status } = await send('DELETE', `/v1/${at}${action.thing === 'k.pem' ? 'Certificates' : 'Destinations'}/${action.thing}`)
      const isUsed = action.thing === 'p' && entities.has('p') && entities.has('asserted')
      const isKnown = entities.has(action.thing)
      if (!isUsed) entities.delete(action.thing)
      return { outcome: 'removed', observed: { status }, expected: { status: isUsed ? 400 : isKnown ? 200 : 404 } }
    }
    case 'trust': {
      const { status, json } = await send('POST', '/v1/saml2Metadata/certificate')
      trusted.set(tenant.subaccount, (json as { readonly certificate: string }).certificate)
      return { outcome: 'trusted', observed: { status }, expected: { status: 200 } }
    }
    case 'read trust': {
      const { status, json } = await send('GET', '/v1/saml2Metadata/certificate')
      const certificate = trusted.get(tenant.subaccount)
      return {
        outcome: 'trust read',
        observed: { status, certificate: (json as { readonly certificate?: string }).certificate },
        expected: { status: certificate === undefined ? 404 : 200, certificate },
      }
    }
    case 'find':
      return find(action.target, tenant, word)
  }
}

/** Looks a destination up, and compares everything that is in the answer with what should be. */
async function find(target: (typeof targets)[number], tenant: (typeof tenants)[number], word: Word | undefined): Promise<Seen> {
  const headers = {
    'x-user-token': running.issuer.user('jane', { email: 'jane@acme.test', scope: [] }),
    ...(target === 'plain' ? { 'x-client-assertion-destination-name': 'p' } : {}),
    ...(target === 'chained'
      ? {
          'x-chain-name': 'com.sap.sequentialUserPropagation',
          'x-chain-var-tokenTransformationDestinationName': 's',
          'x-chain-var-userToken': running.issuer.user('jane', { scope: [] }),
        }
      : {}),
  }
  const path = word === undefined ? `/v1/destinations/${target}` : `/v2/destinations/${target}@${word}`
  const answer = await running.call('GET', path, { token: running.token(tenant), headers })
  const [instance, subaccount] = [levelKey(tenant, 'instance'), levelKey(tenant, 'subaccount')]
  const candidates = word === undefined ? [instance, subaccount] : [levelKey(tenant, word)]
  const level = candidates.find((key) => of(key).has(target))
  if (level === undefined) {
    const observed = { status: answer.status, markers: markersIn(answer.text) }
    return { outcome: `${target} absent`, observed, expected: { status: 404, markers: [] } }
  }
  const named = referencesOf(target, level, [instance, subaccount])
  const found = answer.json as Found
  const [entry] = found.authTokens ?? []
  const contents = (found.certificates ?? []).map(({ Content }) => Buffer.from(Content, 'base64').toString('utf8'))
  const xml = Buffer.from(entry?.value ?? '', 'base64').toString('utf8')
  return {
    outcome: `${target} ${named === undefined ? 'broken' : 'whole'}`,
    observed: {
      status: answer.status,
      failed: entry?.error !== undefined,
      markers: [...new Set(markersIn(answer.text, ...contents))].toSorted(),
      signed: named?.signer !== undefined && isSignedBy(xml, named.signer),
    },
    expected: {
      status: 200,
      failed: named === undefined,
      markers: [...new Set([of(level).get(target) ?? '', ...(named?.markers ?? [])])].toSorted(),
      signed: named?.signer !== undefined,
    },
  }
}

interface Expected {
  readonly markers: readonly string[]
  /** The certificate that an assertion is to be verified with. */
  readonly signer?: string
}

/** What a destination of that level names; `undefined` when it is not there. */
function referencesOf(target: (typeof targets)[number], level: LevelKey, callers: readonly LevelKey[]): Expected | undefined {
  const [subaccount] = JSON.parse(level) as [string]
  const own = JSON.stringify([subaccount, null])
  const named = (thing: Thing, levels: readonly LevelKey[]): { readonly marker: string; readonly at: LevelKey } | undefined => {
    const at = levels.find((key) => of(key).has(thing))
    return at === undefined ? undefined : { marker: of(at).get(thing) ?? '', at }
  }
  const only = (found: ReturnType<typeof named>): Expected | undefined => (found === undefined ? undefined : { markers: [found.marker] })
  switch (target) {
    case 'keys':
      return only(named('k.pem', [level, own]))
    case 'signed-by-keys': {
      const keys = named('k.pem', [level, own])
      return keys === undefined ? undefined : { markers: [keys.marker], signer: identities.get(keys.at)?.certificate ?? '' }
    }
    case 'signed': {
      const signer = trusted.get(subaccount)
      return signer === undefined ? undefined : { markers: [], signer }
    }
    case 'asserted':
    case 'plain':
      return only(named('p', [level]))
    case 'chained':
      return only(named('s', callers))
  }
}

function entityOf(thing: Thing, marker: string, level: LevelKey): Record<string, string> {
  const identity = identities.get(level)
  const oauth = {
    Name: thing,
    Type: 'HTTP',
    URL: 'http://x',
    Marker: marker,
    clientId: 'c',
    tokenServiceURL: `http://127.0.0.1:${tokenServer.port}/token?of=${marker}`,
  }
  const saml = {
    Authentication: 'SAMLAssertion',
    audience: 'a',
    authnContextClassRef: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PreviousSession',
  }
  switch (thing) {
    case 'k.pem':
      return { Name: thing, Content: Buffer.from(`${marker}\n${identity?.certificate}${identity?.key}`).toString('base64') }
    case 'keys':
      return { ...oauth, Authentication: 'ClientCertificateAuthentication', KeyStoreLocation: 'k.pem' }
    case 'signed':
      return { ...oauth, ...saml }
    case 'signed-by-keys':
      return { ...oauth, ...saml, KeyStoreLocation: 'k.pem' }
    case 'asserted':
      return { ...oauth, Authentication: 'OAuth2ClientCredentials', 'clientAssertion.destinationName': 'p' }
    case 'plain':
      return { ...oauth, Authentication: 'OAuth2ClientCredentials' }
    case 'p': {
      const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
      return { ...oauth, Authentication: 'OAuth2ClientCredentials', 'clientAssertion.type': type }
    }
    case 's': {
      const tokenServiceURL = `http://127.0.0.1:${tokenServer.port}/jwt?of=${marker}`
      return { ...oauth, Authentication: 'OAuth2JWTBearer', tokenServiceURL }
    }
    case 'chained':
      return { ...oauth, Authentication: 'OAuth2JWTBearer' }
  }
}
