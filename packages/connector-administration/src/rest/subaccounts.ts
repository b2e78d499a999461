import { z } from 'zod'
import { renderApplications, renderChannels } from '@sallyport/cloud-connector'
import type { Clock } from '@sallyport/core'
import type { AdministeredSubaccount, SubaccountKey } from '../document/administered-subaccount.ts'
import { regionHostSchema } from '../document/custom-region.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { findSubaccount } from '../document/edit-subaccount.ts'
import { parseAuthenticationData } from '../subaccounts/authentication-data.ts'
import type { CloudCredentials } from '../subaccounts/handshake.ts'
import type { SubaccountLifecycle } from '../subaccounts/subaccount-lifecycle.ts'
import { viewTunnel } from '../subaccounts/tunnel-state.ts'
import { invalidRequest, RestError } from './rest-error.ts'
import { type Call, type Route, route } from './route.ts'
import { type IsLocked, pathOfSubaccount, requireChangeable, subaccountKeyOf, subaccountPath, subaccountsPath } from './subaccount-path.ts'
import { tolerantBoolean } from './tolerant-values.ts'

/** What the routes of subaccounts work on. */
export interface SubaccountsOptions {
  readonly editor: ConfigurationEditor
  readonly lifecycle: SubaccountLifecycle
  readonly clock: Clock
  readonly isLocked: IsLocked
}

/** Tells installations of one subaccount apart, also in URLs. */
const locationId = z
  .string()
  .max(200)
  .regex(/^[\w.~-]*$/, 'may have letters, digits and . _ ~ - only')
const settings = {
  locationID: locationId.optional(),
  displayName: z.string().max(200).optional(),
  description: z.string().max(1024).optional(),
  autoCertRenewal: tolerantBoolean.optional(),
}
const text = z.string().min(1).max(1024)
const creation = z.object({
  regionHost: z.string().max(253).optional(),
  subaccount: z.string().max(200).optional(),
  cloudUser: z.string().max(320).optional(),
  cloudPassword: z.string().max(1024).optional(),
  authenticationData: z.string().max(100_000).optional(),
  ...settings,
  isManaged: tolerantBoolean.optional(),
})
const renewal = z.object({
  user: text.optional(),
  password: text.optional(),
  // So the samples of the original have it.
  cloudUser: text.optional(),
  cloudPassword: text.optional(),
  authenticationData: z.string().max(100_000).optional(),
})

/** Subaccounts: added, changed, connected, renewed, removed (cloud-connector.md §8.8). */
export function subaccounts({ clock, editor, isLocked, lifecycle }: SubaccountsOptions): readonly Route[] {
  const render = (key: SubaccountKey, url: (path: string) => string): unknown => {
    const entry = findSubaccount(editor.document, key)
    return renderSubaccount(entry, lifecycle, url)
  }
  const requireMine = (call: Call<unknown>): SubaccountKey => {
    const key = subaccountKeyOf(call.params)
    requireChangeable(editor.document, key, call.caller, isLocked)
    return key
  }
  return [
    route({
      method: 'GET',
      path: subaccountsPath,
      permission: 'all',
      handle: ({ url }) => ({
        status: 200,
        body: editor.document.subaccounts
          .filter((entry) => !lifecycle.isCorrupted(entry))
          .map(({ regionHost, subaccount, locationId: locationID }) => ({
            _links: linksOf({ regionHost, subaccount }, url),
            regionHost,
            subaccount,
            locationID,
          })),
      }),
    }),
    route({
      method: 'GET',
      path: `${subaccountsPath}/corrupted`,
      permission: 'all',
      handle: () => ({
        status: 200,
        body: editor.document.subaccounts
          .filter((entry) => lifecycle.isCorrupted(entry))
          .map(({ regionHost, subaccount }) => ({ regionHost, subaccount })),
      }),
    }),
    route({
      method: 'POST',
      path: subaccountsPath,
      permission: 'edit',
      only: 'master',
      body: creation,
      async handle({ body, caller, url }) {
        const { key, credentials } = readCreation(body, clock.now())
        await lifecycle.add(caller.user, {
          ...key,
          credentials,
          locationId: body.locationID ?? '',
          displayName: body.displayName ?? '',
          description: body.description ?? '',
          autoCertRenewal: body.autoCertRenewal ?? false,
          isManaged: body.isManaged ?? false,
        })
        return { status: 201, headers: { location: url(pathOfSubaccount(key)) }, body: render(key, url) }
      },
    }),
    route({
      method: 'GET',
      path: subaccountPath,
      permission: 'all',
      handle: ({ params, url }) => ({ status: 200, body: render(subaccountKeyOf(params), url) }),
    }),
    route({
      method: 'PUT',
      path: subaccountPath,
      permission: 'edit',
      only: 'master',
      body: z.object(settings),
      async handle(call) {
        const key = requireMine(call)
        const { autoCertRenewal, description, displayName, locationID } = call.body
        await lifecycle.change(call.caller.user, key, {
          ...(autoCertRenewal === undefined ? {} : { autoCertRenewal }),
          ...(description === undefined ? {} : { description }),
          ...(displayName === undefined ? {} : { displayName: displayName || key.subaccount }),
          ...(locationID === undefined ? {} : { locationId: locationID }),
        })
        return { status: 200, body: render(key, call.url) }
      },
    }),
    route({
      method: 'DELETE',
      path: subaccountPath,
      permission: 'edit',
      only: 'master',
      async handle(call) {
        await lifecycle.remove(call.caller.user, requireMine(call))
        return { status: 204 }
      },
    }),
    route({
      method: 'PUT',
      path: `${subaccountPath}/state`,
      permission: 'edit',
      only: 'master',
      body: z.object({ connected: tolerantBoolean }),
      async handle(call) {
        await lifecycle.setConnected(call.caller.user, requireMine(call), call.body.connected)
        return { status: 204 }
      },
    }),
    route({
      method: 'POST',
      path: `${subaccountPath}/validity`,
      permission: 'edit',
      only: 'master',
      body: renewal,
      async handle(call) {
        const key = requireMine(call)
        await lifecycle.renew(call.caller.user, key, readRenewal(call.body, clock.now()))
        return { status: 200, body: render(key, call.url) }
      },
    }),
    ...removedRoutes(),
  ]
}

function readCreation(
  { authenticationData, cloudPassword, cloudUser, regionHost, subaccount }: z.output<typeof creation>,
  nowMs: number,
): { readonly key: SubaccountKey; readonly credentials: CloudCredentials } {
  if (authenticationData !== undefined && authenticationData !== '') {
    const data = parseAuthenticationData(authenticationData, nowMs)
    return { key: { regionHost: data.regionHost, subaccount: data.subaccount }, credentials: { kind: 'data', data } }
  }
  for (const [name, value] of Object.entries({ regionHost, subaccount, cloudUser, cloudPassword }))
    if (value === undefined || value === '') throw invalidRequest(`${name}: is missing`)
  if (!regionHostSchema.safeParse(regionHost).success) throw invalidRequest(`regionHost: "${regionHost}" is not a host name`)
  return {
    key: { regionHost: regionHost ?? '', subaccount: subaccount ?? '' },
    credentials: { kind: 'user', user: cloudUser ?? '', password: cloudPassword ?? '' },
  }
}

function readRenewal(body: z.output<typeof renewal>, nowMs: number): CloudCredentials {
  if (body.authenticationData !== undefined) return { kind: 'data', data: parseAuthenticationData(body.authenticationData, nowMs) }
  const user = body.user ?? body.cloudUser
  const password = body.password ?? body.cloudPassword
  if (user === undefined || password === undefined) throw invalidRequest('user and password, or authenticationData, are missing')
  return { kind: 'user', user, password }
}

/** Recovery subaccounts were given up by the original; whoever asks for them learns that it is for good. */
function removedRoutes(): readonly Route[] {
  const paths = ['', '/validity', '/state', '/takeover'].map((end) => `${subaccountPath}/recovery${end}`)
  return paths.flatMap((path) =>
    (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).map((method) =>
      route({
        method,
        path,
        permission: 'all',
        handle() {
          throw new RestError(410, 'INVALID_REQUEST', 'recovery subaccounts do not exist any more')
        },
      }),
    ),
  )
}

function renderSubaccount(entry: AdministeredSubaccount, lifecycle: SubaccountLifecycle, url: (path: string) => string): unknown {
  const link = lifecycle.linkOf(entry)
  const { connectedSinceMs, state } = viewTunnel(link)
  return {
    description: entry.description,
    displayName: entry.displayName || entry.subaccount,
    autoCertRenewal: entry.autoCertRenewal,
    tunnel: {
      state,
      connectedSinceTimeStamp: connectedSinceMs,
      connections: link?.openStreams ?? 0,
      applicationConnections: link === undefined ? [] : renderApplications(link),
      serviceChannels: renderChannels(link?.channels ?? []),
      subaccountCertificate: {
        notAfterTimeStamp: link?.certificate.notAfterMs ?? 0,
        notBeforeTimeStamp: link?.certificate.notBeforeMs ?? 0,
        subjectDN: link?.certificate.subject ?? '',
        issuer: link?.certificate.issuer ?? '',
        serialNumber: (link?.certificate.serialNumber ?? '').toLowerCase().match(/../g)?.join(':') ?? '',
      },
      user: entry.initiatedBy,
    },
    isManaged: entry.isManaged,
    _links: linksOf(entry, url),
    regionHost: entry.regionHost,
    subaccount: entry.subaccount,
    locationID: entry.locationId,
  }
}

function linksOf(key: SubaccountKey, url: (path: string) => string): unknown {
  const self = url(pathOfSubaccount(key))
  const linkTo = (end: string): { readonly href: string } => ({ href: `${self}/${end}` })
  return {
    self: { href: self },
    state: linkTo('state'),
    validity: linkTo('validity'),
    systemMappings: linkTo('systemMappings'),
    domainMappings: linkTo('domainMappings'),
    'ABAPCloud-channels': linkTo('channels/ABAPCloud'),
    'HANA-channels': linkTo('channels/HANA'),
    'K8S-channels': linkTo('channels/K8S'),
    'VirtualMachine-channels': linkTo('channels/VirtualMachine'),
  }
}
