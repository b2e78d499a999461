import type { PrincipalPreview, RequestSimulation, SimulatedPrincipal, Simulation } from '@sallyport/cloud-connector'
import { ConnectivityError } from '@sallyport/core'
import { z } from 'zod'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { findSubaccount } from '../document/edit-subaccount.ts'
import { maxSimulatedTokenCharacters } from '../limits.ts'
import type { SubaccountLifecycle } from '../subaccounts/subaccount-lifecycle.ts'
import { describeRule } from './principal-propagation.ts'
import { invalidRequest } from './rest-error.ts'
import { type Call, type Route, route } from './route.ts'
import { subaccountKeyOf } from './subaccount-path.ts'
import { tolerantText } from './tolerant-values.ts'

const path = '/api/private/v1/subaccounts/:regionHost/:subaccount/simulation'

const token = z.string().min(1).max(maxSimulatedTokenCharacters)
const kind = z.enum(['business', 'technical']).default('business')
const word = z.string().min(1).max(255).optional()
const request = z.object({
  virtualHost: z.string().min(1).max(255),
  virtualPort: tolerantText(32),
  method: z
    .string()
    .regex(/^[!#$%&'*+.^`|~\w-]{1,32}$/, 'is no method')
    .optional(),
  path: z.string().max(8192).optional(),
  upgrade: word,
  function: word,
  client: word,
  user: word,
  token: token.optional(),
  kind,
})

/**
 * What would become of a token, and of a request, without anything being issued or sent. The original has nothing like it: the paths are our own. It changes
 * nothing, so whoever may read may ask; the audit log has who did.
 */
export function simulation({
  editor,
  lifecycle,
}: {
  readonly editor: ConfigurationEditor
  readonly lifecycle: Pick<SubaccountLifecycle, 'simulationOf'>
}): readonly Route[] {
  const of = ({ params }: Call<unknown>): Simulation => lifecycle.simulationOf(findSubaccount(editor.document, subaccountKeyOf(params)))
  return [
    route({
      method: 'POST',
      path: `${path}/principal`,
      permission: 'all',
      body: z.object({ token, kind }),
      async handle(call) {
        return { status: 200, body: renderPreview(await of(call).principal(call.body, call.caller.user)) }
      },
    }),
    route({
      method: 'POST',
      path: `${path}/request`,
      permission: 'all',
      body: request,
      async handle(call) {
        const { function: functionName, kind: as, token: given, virtualHost: host, virtualPort: port, ...rest } = call.body
        const principal = given === undefined ? undefined : { kind: as, token: given }
        const wanted = { ...rest, host, port, functionName, principal }
        return { status: 200, body: renderSimulation(await refusing(of(call).request(wanted, call.caller.user))) }
      },
    }),
  ]
}

function renderSimulation({ principal, ...rest }: RequestSimulation): unknown {
  return { ...rest, principal: principal && renderPrincipal(principal) }
}

function renderPrincipal(principal: SimulatedPrincipal): unknown {
  return principal.use === 'certificate' ? { use: principal.use, ...renderPreview(principal.preview) } : principal
}

function renderPreview(preview: PrincipalPreview): Readonly<Record<string, unknown>> {
  if (preview.kind === 'not-trusted') return { trusted: false, issuable: false, problem: preview.message }
  const { certificate, expiresAtMs, tokenIssuer, user } = preview
  const { rule } = certificate
  const common = {
    trusted: true,
    user,
    tokenIssuer,
    tokenExpiresTimeStamp: expiresAtMs,
    ...(rule === undefined ? {} : { rule: { index: rule.index, ...describeRule(rule.rule) } }),
  }
  if (!certificate.issuable) return { ...common, issuable: false, problem: certificate.problem }
  const { issuer, notAfterMs, notBeforeMs, subject } = certificate
  return {
    ...common,
    issuable: true,
    certificate: { subjectDN: subject, issuer, notBeforeTimeStamp: notBeforeMs, notAfterTimeStamp: notAfterMs },
  }
}

async function refusing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw ConnectivityError.is(error, 'MESSAGE_INVALID') ? invalidRequest(error.message) : error
  }
}
