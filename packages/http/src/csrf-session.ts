/** What a server that guards against cross-site requests wants to see with a writing request: a token, and the session it belongs to. */
export interface CsrfSession {
  readonly token: string
  /** `name=value; …` */
  readonly cookie: string
}

/** Reads the answer to `x-csrf-token: Fetch`. `undefined` when it brings no token: the server wants none here. */
export function readCsrfSession(headers: Readonly<Record<string, string | string[] | undefined>>): CsrfSession | undefined {
  const token = [headers['x-csrf-token']].flat()[0] ?? ''
  if (token === '' || /^required$/i.test(token)) return undefined
  const cookies = [headers['set-cookie'] ?? []].flat().map((cookie) => (cookie.split(';')[0] ?? '').trim())
  return { token, cookie: cookies.filter((cookie) => cookie !== '').join('; ') }
}

/** Whether an answer says that the token was missing or is too old. The server has done nothing then. */
export function wantsCsrfToken(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  return status === 403 && /^required$/i.test([headers['x-csrf-token']].flat()[0] ?? '')
}
