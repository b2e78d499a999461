import { X509Certificate } from 'node:crypto'
import type { Clock } from '@sallyport/core'
import { z } from 'zod'
import type { Access } from '../access/access.ts'
import { cipherSuites, enabledSuites, isUsableWith } from '../access/cipher-suites.ts'
import { keyTypeOf, requireReachable, type UiSettings, userAttributes } from '../access/ui-settings.ts'
import { ownedCertificateRoutes, type OwnedCertificateSlot } from './owned-certificates.ts'
import { invalidRequest } from './rest-error.ts'
import { type Route, route } from './route.ts'
import { tolerantBoolean } from './tolerant-values.ts'

const path = '/api/v1/configuration/connector/ui'

/** Certificate and cipher suites of this very interface, and log-on with certificates (cloud-connector.md §8.5, §5.4). */
export function uiSettings({ access, clock }: { readonly access: Access; readonly clock: Clock }): readonly Route[] {
  const settings = (): UiSettings => access.editor.settings.ui
  const change = (user: string, edit: (ui: UiSettings) => Partial<UiSettings>): Promise<void> => changeUi(access, user, edit)
  const setSuites = (user: string, names: readonly string[] | undefined): Promise<void> => change(user, () => ({ cipherSuites: names }))

  return [
    ...ownedCertificateRoutes(
      { path: `${path}/uiCertificate`, purpose: 'ui', fileName: 'ui_certificate', removable: false },
      uiCertificateSlot(access, clock),
    ),
    route({
      method: 'GET',
      path: '/api/v1/configuration/availableCipherSuites',
      permission: 'all',
      handle: () => ({ status: 200, body: cipherSuites.map(({ name }) => name) }),
    }),
    route({
      method: 'GET',
      path: `${path}/cipherSuites`,
      permission: 'all',
      handle: () => ({ status: 200, body: enabledSuites(settings().cipherSuites).map(({ name }) => name) }),
    }),
    route({
      method: 'POST',
      path: `${path}/cipherSuites`,
      permission: 'administrators',
      body: z.array(z.string()).min(1).max(100),
      async handle({ body, caller }) {
        const unknown = body.find((name) => !cipherSuites.some((suite) => suite.name === name))
        if (unknown !== undefined) throw invalidRequest(`the cipher suite "${unknown}" is not available`)
        await setSuites(caller.user, [...new Set(body)])
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path: `${path}/cipherSuites`,
      permission: 'administrators',
      async handle({ caller }) {
        await setSuites(caller.user, undefined)
        return { status: 204 }
      },
    }),
    route({
      method: 'GET',
      path: '/api/private/v1/cipherSuites',
      permission: 'all',
      handle() {
        const enabled = enabledSuites(settings().cipherSuites)
        const keyType = keyTypeOf(settings().certificate.current ?? access.ownCertificate)
        const body = cipherSuites.map((suite) => ({
          name: suite.name,
          enabled: enabled.includes(suite),
          usableWithCertificate: isUsableWith(suite, keyType),
          assessment: suite.assessment,
        }))
        return { status: 200, body }
      },
    }),
    route({
      method: 'GET',
      path: '/api/private/v1/clientCertificates',
      permission: 'all',
      handle: () => ({ status: 200, body: { ...settings().clientCertificates, activeSinceStart: access.clientCertificates.enabled } }),
    }),
    route({
      method: 'PUT',
      path: '/api/private/v1/clientCertificates',
      permission: 'administrators',
      body: z.object({
        enabled: tolerantBoolean,
        userAttribute: z.string().default('CN').transform(readAttribute),
        allowed: z.array(z.string().transform(readPem)).max(100).default([]),
        passwordFallback: tolerantBoolean.default(true),
      }),
      async handle({ body, caller }) {
        if (body.enabled && body.allowed.length === 0) throw invalidRequest('allowed: at least one certificate is needed')
        await change(caller.user, () => ({ clientCertificates: body }))
        return { status: 204 }
      },
    }),
  ]
}

/** Where the certificate of the interface is: its own one as long as nobody has given it another. */
export function uiCertificateSlot(access: Access, clock: Clock): OwnedCertificateSlot {
  return {
    clock,
    get slot() {
      const { certificate } = access.editor.settings.ui
      return { ...certificate, current: certificate.current ?? access.ownCertificate }
    },
    change: (user, edit) => changeUi(access, user, (ui) => ({ certificate: edit(ui.certificate) })),
  }
}

function changeUi(access: Access, user: string, edit: (ui: UiSettings) => Partial<UiSettings>): Promise<void> {
  return access.editor.change(user, (all) => {
    const ui = { ...all.ui, ...edit(all.ui) }
    requireReachable(ui, access.ownCertificate)
    return { ...all, ui }
  })
}

/** An attribute by its name or its object identifier. */
function readAttribute(text: string): string {
  const found = Object.entries(userAttributes).find(([name, oid]) => name === text.toUpperCase() || oid === text)
  if (found === undefined) throw invalidRequest(`userAttribute: ${text} is not known; there are ${Object.keys(userAttributes).join(', ')}`)
  return found[0]
}

function readPem(text: string): string {
  try {
    return new X509Certificate(text).toString()
  } catch {
    throw invalidRequest('allowed: one of the texts is not a certificate in PEM')
  }
}
