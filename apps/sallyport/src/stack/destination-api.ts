import { ConnectivityError } from '@sallyport/core'
import { readAuthority, readBindings } from './binding-files.ts'
import type { DataFolder } from './data-folder.ts'
import { createRequester } from './request.ts'
import { fetchToken, textOf } from './tokens.ts'

/** Making keys takes seconds, on a busy machine many. */
const timeoutMs = 120_000

/** A call of the destination service below `/destination-configuration/v1`, or below `/admin/v1`. */
interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly api?: 'administration'
  readonly body?: unknown
  /** What is attempted, for errors. */
  readonly attempt: string
}

/** Makes calls with the binding of the stack. */
export type DestinationApi = (call: ApiCall) => Promise<{ readonly status: number; readonly body: unknown }>

/**
 * Runs `work` with the REST API of the running stack, for the subaccount of the binding or for `tenant`. Answers of 404 and 409 are for `work` to judge.
 *
 * @throws ConnectivityError for every other refusal, with the service's own sentence.
 */
export async function withDestinationApi<T>(
  folder: DataFolder,
  { tenant }: { readonly tenant?: string | undefined },
  work: (api: DestinationApi) => Promise<T>,
): Promise<T> {
  const [binding] = readBindings(folder).destination
  await using request = createRequester({ authorities: [readAuthority(folder)], timeoutMs })
  const { access_token: token } = await fetchToken(request, binding, {
    grant_type: 'client_credentials',
    ...(tenant === undefined ? {} : { app_tid: tenant }),
  })
  return await work(async ({ method, path, api, body, attempt }) => {
    const root = api === 'administration' ? '/admin/v1' : '/destination-configuration/v1'
    const answer = await request(`${String(binding.credentials['uri'])}${root}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const parsed = text === '' ? undefined : (JSON.parse(text) as unknown)
    if (answer.status < 300 || answer.status === 404 || answer.status === 409) return { status: answer.status, body: parsed }
    const message = textOf((parsed as { readonly ErrorMessage?: unknown } | undefined)?.ErrorMessage) || `status ${answer.status}`
    const code = answer.status === 403 ? 'ACCESS_DENIED' : answer.status < 500 ? 'MESSAGE_INVALID' : 'SERVICE_UNAVAILABLE'
    throw new ConnectivityError(code, `${attempt}: ${message}`)
  })
}
