import type { ConnectorTraces, TraceHolder, TraceSettings } from '@sallyport/cloud-connector'
import type { Access } from '../access/access.ts'
import { enabledSuites } from '../access/cipher-suites.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { type Route, route } from './route.ts'

/** One row of the page: what it is about, what it is set to, and whether that is a risk. */
interface SecurityFinding {
  readonly area: string
  readonly value: string
  readonly risk: boolean
  /** What would be better, where something would. */
  readonly advice?: string
}

/** What administrators can do for the safety of an installation, and how far they have (cloud-connector.md §5.6). */
export function securityStatus(options: {
  readonly access: Access
  readonly editor: ConfigurationEditor
  readonly traces: Pick<ConnectorTraces, 'settings'>
}): readonly Route[] {
  const { editor, traces } = options
  return [
    route({
      method: 'GET',
      path: '/api/private/v1/securityStatus',
      permission: 'all',
      handle() {
        const general = generalFindings(options)
        const subaccounts = editor.document.subaccounts.map(({ locationId, regionHost, subaccount }) => ({
          regionHost,
          subaccount,
          findings: subaccountFindings(traces.settings, { subaccount, locationId }),
        }))
        const risky = [...general, ...subaccounts.flatMap(({ findings }) => findings)].some(({ risk }) => risk)
        return { status: 200, body: { overall: risky ? 'Risk' : 'Low risk', general, subaccounts } }
      },
    }),
  ]
}

function generalFindings({ access, editor, traces }: Parameters<typeof securityStatus>[0]): readonly SecurityFinding[] {
  const { settings } = access.editor
  const replaced = settings.ui.certificate.current !== undefined
  const weak = enabledSuites(settings.ui.cipherSuites).filter(({ assessment }) => assessment === 'weak')
  const { trustAllBackends } = editor.document.onPremises
  const cpic = traces.settings.log.cpicTraceLevel
  return [
    finding('uiCertificate', replaced ? 'replaced' : 'generated', !replaced, 'use a certificate of an authority that browsers trust'),
    finding('cipherSuites', weak.length === 0 ? 'strong' : `${weak.length} weak`, weak.length > 0, 'disable the weak ones'),
    finding('backendTrustStore', trustAllBackends ? 'all' : 'listed', trustAllBackends, 'list the authorities of the backends'),
    finding('userAdministration', settings.ldap.enabled ? 'ldap' : 'basic', !settings.ldap.enabled, 'use named users of a directory'),
    finding('cpicTrace', cpic === 0 ? 'off' : `level ${cpic}`, cpic > 0, 'switch it off when the error is found'),
  ]
}

/** Every application of a subaccount may use its mappings. */
function subaccountFindings({ traffic }: TraceSettings, holder: TraceHolder): readonly SecurityFinding[] {
  const traced = traffic.some(
    ({ locationId, subaccount, trafficTrace }) => trafficTrace && subaccount === holder.subaccount && locationId === holder.locationId,
  )
  return [
    finding('applicationAllowlist', 'all applications', false),
    finding(
      'tunnelTrafficTrace',
      traced ? 'on' : 'off',
      traced,
      'switch it off when the error is found: it holds the contents of requests',
    ),
  ]
}

function finding(area: string, value: string, risk: boolean, advice?: string): SecurityFinding {
  return { area, value, risk, ...(risk && advice !== undefined ? { advice } : {}) }
}
