import type { Clock } from '@sallyport/core'
import { equalTexts, hashGrant } from './client-secret.ts'
import type { GrantStore, LogOnSession } from './grant-store.ts'
import type { TokenServiceLimits } from './limits.ts'
import { type RandomSource, randomSecret } from './random.ts'
import type { DirectoryUser } from './user.ts'

/** Cookies of a request by name. */
export type Cookies = Readonly<Record<string, string | undefined>>

/** A cookie to set; `value` undefined removes it. */
export interface CookieChange {
  readonly name: string
  readonly value: string | undefined
  readonly secure: boolean
  readonly sameSite: 'lax' | 'strict'
}

/**
 * Keeps browsers logged on and protects the form.
 *
 * Over https the cookies have the `__Host-` prefix, so that no neighbouring host can plant them; over plain http they have another name, and a session
 * begun there is worth nothing over https. The form carries the value of a cookie that other sites can neither read nor cause to be sent.
 */
export interface LogOnSessions {
  find(cookies: Cookies, tenantId: string, secure: boolean): Promise<LogOnSession | undefined>
  /** A new session under a new id, whatever the browser brought. */
  begin(user: DirectoryUser, secure: boolean): Promise<CookieChange>
  end(cookies: Cookies, secure: boolean): Promise<CookieChange>
  /** The value for the hidden field, and the cookie that goes with it. One that is there already is kept: two open pages work both. */
  formToken(cookies: Cookies, secure: boolean): { readonly value: string; readonly cookie: CookieChange }
  isFormToken(presented: string | undefined, cookies: Cookies, secure: boolean): boolean
}

/** Creates the keeper of sessions over the grants store, so that they survive restarts and are shared by processes that share it. */
export function createLogOnSessions(deps: {
  readonly grants: GrantStore
  readonly clock: Clock
  readonly random: RandomSource
  readonly limits: TokenServiceLimits
}): LogOnSessions {
  const { grants, clock, random, limits } = deps
  const sessionName = (secure: boolean): string => (secure ? '__Host-sallyport-session' : 'sallyport-session')
  const formName = (secure: boolean): string => (secure ? '__Host-sallyport-form' : 'sallyport-form')
  const read = (cookies: Cookies, name: string): string | undefined => {
    const value = cookies[name]
    return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined
  }
  return {
    async find(cookies, tenantId, secure) {
      const id = read(cookies, sessionName(secure))
      if (id === undefined) return undefined
      const session = await grants.find('session', hashGrant('session', id))
      return session?.tenantId === tenantId && session.secure === secure ? session : undefined
    },
    async begin(user, secure) {
      const id = randomSecret(random)
      await grants.add(hashGrant('session', id), {
        kind: 'session',
        clientId: '',
        tenantId: user.tenantId,
        user: { kind: 'directory', id: user.id },
        secure,
        authTimeSeconds: Math.floor(clock.now() / 1000),
        createdAtMs: clock.now(),
        expiresAtMs: clock.now() + limits.sessionSeconds * 1000,
      })
      // Lax, not strict: the application sends the browser here from its own site.
      return { name: sessionName(secure), value: id, secure, sameSite: 'lax' }
    },
    async end(cookies, secure) {
      const id = read(cookies, sessionName(secure))
      if (id !== undefined) await grants.remove('session', hashGrant('session', id))
      return { name: sessionName(secure), value: undefined, secure, sameSite: 'lax' }
    },
    formToken(cookies, secure) {
      const value = read(cookies, formName(secure)) ?? randomSecret(random)
      return { value, cookie: { name: formName(secure), value, secure, sameSite: 'strict' } }
    },
    isFormToken(presented, cookies, secure) {
      const expected = read(cookies, formName(secure))
      return expected !== undefined && presented !== undefined && equalTexts(presented, expected)
    },
  }
}
