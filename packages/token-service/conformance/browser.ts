import { type Answer, type Call, ids, type RunningService } from './running-service.ts'

export const callback = 'https://portal.apps.test/login/callback?authType=xsuaa'
export const html: Readonly<Record<string, string>> = { accept: 'text/html,application/xhtml+xml' }

/** A browser without script: keeps cookies, fills in the form it is shown, follows nothing. */
export interface Browser {
  readonly jar: Map<string, string>
  visit(call: Call): Promise<Answer>
  authorize(parameters?: Readonly<Record<string, string>>): Promise<Answer>
  /** Sends the form of a page with its hidden fields and these ones. */
  submit(page: Answer, fields: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** `authorize` and `submit` for Jane. */
  logOn(parameters?: Readonly<Record<string, string>>): Promise<Answer>
}

export function createBrowser(running: RunningService, more: Partial<Call> = {}): Browser {
  const jar = new Map<string, string>()
  const visit = async (call: Call): Promise<Answer> => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await running.call({ ...more, ...call, headers: { ...html, ...(cookie === '' ? {} : { cookie }), ...call.headers } })
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/max-age=0/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return answer
  }
  return {
    jar,
    visit,
    authorize: (parameters: Readonly<Record<string, string>> = {}) => visit({ path: authorizePath(parameters) }),
    async submit(page: Answer, fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) {
      const action = unescapeHtml(/<form method="post" action="([^"]*)"/.exec(page.text)?.[1] ?? '')
      const hidden = Object.fromEntries(
        [...page.text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
          name,
          unescapeHtml(value),
        ]),
      )
      return visit({ method: 'POST', path: action, body: { ...hidden, ...fields }, headers })
    },
    async logOn(parameters: Readonly<Record<string, string>> = {}) {
      return this.submit(await this.authorize(parameters), { username: 'jane@acme.test', password: 'correct horse' })
    },
  }
}

export function authorizePath(parameters: Readonly<Record<string, string>>): string {
  // The client id is not percent-encoded by the official application router.
  const rest = new URLSearchParams({ response_type: 'code', redirect_uri: callback, ...parameters })
  return `/oauth/authorize?client_id=${parameters['client_id'] ?? ids.app}&${rest}`
}

export function unescapeHtml(text: string): string {
  return text.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
}

export const locationOf = (answer: Answer): URL => new URL(String(answer.headers.location))
export const codeOf = (answer: Answer): string => locationOf(answer).searchParams.get('code') ?? ''
