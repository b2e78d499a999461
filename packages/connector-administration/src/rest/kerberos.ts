import { kerberosKeys, type KerberosSettings } from '@sallyport/admin-api'
import { checkKeytab, type CloudConnector, readKeytab } from '@sallyport/cloud-connector'
import { ConnectivityError, createSecret } from '@sallyport/core'
import { z } from 'zod'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import type { AdministeredKerberos } from '../document/kerberos.ts'
import { maxKeytabBytes } from '../limits.ts'
import { checkBody } from './check-body.ts'
import { invalidRequest, notFound } from './rest-error.ts'
import { type Route, route } from './route.ts'
import type { UploadForm } from './upload-form.ts'

const path = '/api/private/v1/onPremises/kerberos'

const settingsSchema = z.strictObject(kerberosKeys)

/** Where tickets come from, and who asks for them (principal-propagation.md §10). The original has no REST API for that, so the path is our own. */
export function kerberos(options: {
  readonly editor: ConfigurationEditor
  readonly checkKerberos: CloudConnector['checkKerberos']
}): readonly Route[] {
  const { checkKerberos, editor } = options
  const current = (): AdministeredKerberos => {
    const found = editor.document.onPremises.kerberos
    if (found === undefined) throw notFound('there are no Kerberos settings')
    return found
  }
  const change = (user: string, settings: AdministeredKerberos | undefined): Promise<unknown> =>
    editor.change(user, (document) => ({ ...document, onPremises: { ...document.onPremises, kerberos: settings } }))
  /** Whether tickets can be had is told and not required: a KDC may be down while it is configured. */
  const tryOut = async (
    { keytab, ...settings }: AdministeredKerberos,
    signal: AbortSignal,
  ): Promise<{ readonly problem: string | null }> => ({
    problem: (await checkKerberos({ settings, keytab: createSecret(keytab) }, signal)) ?? null,
  })
  return [
    route({ method: 'GET', path, permission: 'all', handle: () => ({ status: 200, body: describe(current()) }) }),
    route({
      method: 'PUT',
      path,
      permission: 'administrators',
      only: 'master',
      upload: true,
      async handle({ caller, form, signal }) {
        const settings = checkBody(settingsSchema, readSettings(form), 'settings')
        const kept = editor.document.onPremises.kerberos
        const keytab = keytabOf(form) ?? kept?.keytab
        if (keytab === undefined) throw invalidRequest('the part "keytab" is missing')
        holdAgainst(settings, keytab)
        const wanted = { ...settings, keytab }
        await change(caller.user, wanted)
        return { status: 200, body: { ...describe(wanted), ...(await tryOut(wanted, signal)) } }
      },
    }),
    route({
      method: 'DELETE',
      path,
      permission: 'administrators',
      only: 'master',
      async handle({ caller }) {
        current()
        await change(caller.user, undefined)
        return { status: 204 }
      },
    }),
    route({
      method: 'POST',
      path: `${path}/check`,
      permission: 'all',
      shared: 'nothing',
      handle: async ({ signal }) => ({ status: 200, body: await tryOut(current(), signal) }),
    }),
  ]
}

/** Everything but keys. */
function describe({ keytab, ...settings }: AdministeredKerberos): Readonly<Record<string, unknown>> {
  return { ...settings, keytab: readKeytab(Buffer.from(keytab, 'base64')) }
}

function readSettings(form: UploadForm): unknown {
  try {
    return JSON.parse(form.text('settings')) as unknown
  } catch (error) {
    if (error instanceof SyntaxError) throw invalidRequest('the part "settings" has to be JSON')
    throw error
  }
}

function keytabOf(form: UploadForm): string | undefined {
  if (form.files('keytab').length === 0) return undefined
  const content = form.file('keytab')
  if (content.length > maxKeytabBytes) throw invalidRequest(`keytab: it has more than ${maxKeytabBytes} bytes`)
  return content.toString('base64')
}

function holdAgainst(settings: KerberosSettings, keytab: string): void {
  try {
    checkKeytab(Buffer.from(keytab, 'base64'), settings)
  } catch (error) {
    throw ConnectivityError.is(error) ? invalidRequest(`keytab: ${error.message}`) : error
  }
}
