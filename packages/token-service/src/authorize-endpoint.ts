import type { Clock } from '@sallyport/core'
import { type AuthorizationRequest, type AuthorizationWish, readAuthorizationRequest, redirectBack } from './authorization-request.ts'
import { hashGrant } from './client-secret.ts'
import type { GrantStore } from './grant-store.ts'
import type { TokenServiceLimits } from './limits.ts'
import { logOnPage, messagePage, pageHeaders } from './log-on-page.ts'
import type { CookieChange, Cookies, LogOnSessions } from './log-on-session.ts'
import type { ClientDirectory } from './oauth-client.ts'
import type { PasswordLogOn } from './password-log-on.ts'
import { type RandomSource, randomSecret } from './random.ts'
import { redirectAdmitted } from './redirect-pattern.ts'
import type { RequestParameters } from './request-parameters.ts'
import type { ResolvedAddress } from './service-address.ts'
import { admittedTenant, namedTenant, type TenantHints } from './tenant-selection.ts'
import type { Tenant, TenantDirectory } from './tenant.ts'
import { toErrorAnswer } from './token-errors.ts'
import type { UserDirectory, UserReference } from './user.ts'

/** A request of a browser. `parameters` are those of the query alone; a submitted form is `form`. */
export interface BrowserRequest extends TenantHints {
  readonly parameters: RequestParameters
  /** The query as it came, for the form's target. */
  readonly query: string
  readonly cookies: Cookies
  readonly secure: boolean
  readonly remoteAddress: string
}

/** The log-on form as a browser sends it. */
export interface SubmittedForm {
  readonly fields: RequestParameters
  /** Headers by which browsers say where a form comes from. */
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
}

/** What a browser is answered with. */
export type BrowserAnswer =
  | {
      readonly kind: 'page'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly html: string
      readonly cookies: readonly CookieChange[]
    }
  | { readonly kind: 'redirect'; readonly status: 302 | 303; readonly location: string; readonly cookies: readonly CookieChange[] }

/** What the pages need. */
export interface AuthorizeDeps {
  readonly tenants: TenantDirectory
  readonly clients: ClientDirectory
  readonly users: UserDirectory
  readonly grants: GrantStore
  readonly sessions: LogOnSessions
  readonly logOn: PasswordLogOn
  readonly clock: Clock
  readonly random: RandomSource
  readonly limits: TokenServiceLimits
  readonly address: () => ResolvedAddress
}

/** `GET /oauth/authorize`: straight back with a code for a browser that has logged on, the form for any other. */
export async function showAuthorize(request: BrowserRequest, deps: AuthorizeDeps): Promise<BrowserAnswer> {
  const { authorization, tenant } = await prepare(request, deps)
  const { outcome } = authorization
  if (outcome.kind === 'refused')
    return redirect(302, redirectBack(authorization, { error: outcome.error, error_description: outcome.description }))
  const session = await deps.sessions.find(request.cookies, tenant.id, request.secure)
  const user = session?.user.kind === 'directory' ? await deps.users.findById(tenant.id, session.user.id) : undefined
  if (session === undefined || user === undefined) return form(request, authorization, tenant, deps, { status: 200 })
  return redirect(
    302,
    await targetWithCode(authorization, outcome, { tenant, user: session.user, authTimeSeconds: session.authTimeSeconds }, deps),
  )
}

/** `POST /oauth/authorize`: checks name and password, then goes back with a code, or shows the form again with what was wrong. */
export async function submitAuthorize(request: BrowserRequest, submitted: SubmittedForm, deps: AuthorizeDeps): Promise<BrowserAnswer> {
  const { authorization, tenant } = await prepare(request, deps)
  const { outcome } = authorization
  if (outcome.kind === 'refused')
    return redirect(302, redirectBack(authorization, { error: outcome.error, error_description: outcome.description }))
  const name = submitted.fields.get('username') ?? ''
  if (isForeign(submitted, request) || !deps.sessions.isFormToken(submitted.fields.get('form_token'), request.cookies, request.secure)) {
    return form(request, authorization, tenant, deps, {
      status: 403,
      problem: 'The form was not valid any more. Please try again; cookies must be allowed.',
    })
  }
  try {
    const password = submitted.fields.get('password') ?? ''
    const user = await deps.logOn.check({ tenantId: tenant.id, name, password, remoteAddress: request.remoteAddress })
    const cookie = await deps.sessions.begin(user, request.secure)
    const reference: UserReference = { kind: 'directory', id: user.id }
    const authTimeSeconds = Math.floor(deps.clock.now() / 1000)
    return redirect(303, await targetWithCode(authorization, outcome, { tenant, user: reference, authTimeSeconds }, deps), [cookie])
  } catch (error) {
    const { status, description } = toErrorAnswer(error)
    if (status >= 500 && status !== 503) throw error
    const problem = status === 401 ? 'User name or password is wrong.' : `${description}.`
    return form(request, authorization, tenant, deps, { status, problem, userName: name })
  }
}

/** `GET /logout.do`: ends the session, then goes to the application if the target is one of its own. */
export async function logOut(request: BrowserRequest, deps: AuthorizeDeps): Promise<BrowserAnswer> {
  const cookies = [await deps.sessions.end(request.cookies, request.secure)]
  const target = request.parameters.get('redirect')
  const client = await deps.clients.findById(request.parameters.get('client_id') ?? '')
  if (target !== undefined && client !== undefined && redirectAdmitted(target, client.redirectUris)) {
    return redirect(302, target, cookies)
  }
  return { kind: 'page', status: 200, headers: pageHeaders([]), html: messagePage('Logged off', 'You have logged off.'), cookies }
}

async function prepare(
  request: BrowserRequest,
  deps: AuthorizeDeps,
): Promise<{ readonly authorization: AuthorizationRequest; readonly tenant: Tenant }> {
  const authorization = await readAuthorizationRequest(request.parameters, deps.clients)
  const named = await namedTenant(request, { tenants: deps.tenants, address: deps.address() })
  return { authorization, tenant: await admittedTenant(authorization.client, named, deps) }
}

async function targetWithCode(
  authorization: AuthorizationRequest,
  wish: AuthorizationWish,
  who: { readonly tenant: Tenant; readonly user: UserReference; readonly authTimeSeconds: number },
  deps: AuthorizeDeps,
): Promise<string> {
  const code = randomSecret(deps.random)
  await deps.grants.add(hashGrant('code', code), {
    kind: 'code',
    clientId: authorization.client.id,
    tenantId: who.tenant.id,
    user: who.user,
    redirectUri: authorization.redirectUri,
    scopes: wish.scopes,
    codeChallenge: wish.codeChallenge,
    nonce: wish.nonce,
    authTimeSeconds: who.authTimeSeconds,
    createdAtMs: deps.clock.now(),
    expiresAtMs: deps.clock.now() + deps.limits.codeSeconds * 1000,
  })
  return redirectBack(authorization, { code })
}

function redirect(status: 302 | 303, location: string, cookies: readonly CookieChange[] = []): BrowserAnswer {
  return { kind: 'redirect', status, location, cookies }
}

function form(
  request: BrowserRequest,
  authorization: AuthorizationRequest,
  tenant: Tenant,
  deps: AuthorizeDeps,
  shown: { readonly status: number; readonly problem?: string; readonly userName?: string },
): BrowserAnswer {
  const token = deps.sessions.formToken(request.cookies, request.secure)
  const html = logOnPage({
    tenant: tenant.subdomain,
    application: authorization.client.xsappname,
    action: `/oauth/authorize?${request.query}`,
    formToken: token.value,
    userName: shown.userName ?? '',
    problem: shown.problem,
  })
  const headers = pageHeaders([new URL(authorization.redirectUri).origin])
  return { kind: 'page', status: shown.status, headers, html, cookies: [token.cookie] }
}

/** Whether a browser says that the form comes from another site. Old browsers say nothing; then the form's token alone decides. */
function isForeign(submitted: SubmittedForm, request: BrowserRequest): boolean {
  if (submitted.fetchSite !== undefined && submitted.fetchSite !== 'same-origin') return true
  // Only the host is compared: a proxy in front of the plain listener may have ended TLS.
  return submitted.origin !== undefined && URL.parse(submitted.origin)?.host !== request.host?.toLowerCase()
}
