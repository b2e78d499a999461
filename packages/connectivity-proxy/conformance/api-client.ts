import { once } from 'node:events'
import { request as httpsRequest } from 'node:https'
import type { IncomingMessage } from 'node:http'

/** An answer of the connectivity service. */
export interface ApiAnswer {
  readonly status: number
  readonly type: string
  readonly headers: IncomingMessage['headers']
  readonly text: string
  json(): unknown
}

/** One call, on a connection of its own. `ca` is what the server's certificate must come from. */
export async function callApi(
  base: URL,
  path: string,
  options: {
    readonly ca: string
    readonly method?: string
    readonly body?: unknown
    readonly headers?: Readonly<Record<string, string>>
  },
): Promise<ApiAnswer> {
  const { body, ca, headers = {}, method = 'GET' } = options
  const request = httpsRequest(new URL(path, base), {
    method,
    ca,
    agent: false,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
  })
  request.end(body === undefined ? undefined : JSON.stringify(body))
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string
  return {
    status: response.statusCode ?? 0,
    type: response.headers['content-type'] ?? '',
    headers: response.headers,
    text,
    json: () => JSON.parse(text) as unknown,
  }
}
