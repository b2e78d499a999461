import { ConnectivityError, withDeadline } from '@sallyport/core'
import type { Agent } from 'undici'

interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  text(): Promise<string>
}

interface HttpRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
  /** Presented in the TLS handshake of this request. PEM. */
  readonly identity?: { readonly certificate: string; readonly key: string }
}

export interface Requester extends AsyncDisposable {
  (url: string | URL, init?: HttpRequest): Promise<HttpAnswer>
}

const usualTimeoutMs = 15_000
const maxAnswerBytes = 8_388_608

/**
 * An HTTP client for our own services and what operators name: trusts the given authorities, or else the usual ones, waits at most 15 s unless told, reads at most 8 MiB, follows no redirect.
 *
 * @throws ConnectivityError `PEER_UNTRUSTED` when the certificate does not verify, `PEER_UNREACHABLE` otherwise.
 */
export function createRequester(options: {
  readonly authorities: readonly string[]
  readonly timeoutMs?: number
  /** Presented in every TLS handshake unless the request has another. */
  readonly identity?: HttpRequest['identity']
}): Requester {
  const timeoutMs = options.timeoutMs ?? usualTimeoutMs
  let loading:
    | Promise<{
        readonly agent: Agent
        readonly createAgent: (identity: HttpRequest['identity']) => Agent
        readonly request: typeof import('undici').request
      }>
    | undefined
  // Loaded with the first request: most commands need none.
  const load = async (): NonNullable<typeof loading> => {
    const { Agent, request } = await import('undici')
    const createAgent = (identity: HttpRequest['identity']): Agent =>
      new Agent({
        connect: {
          // An empty list would trust nobody.
          ...(options.authorities.length === 0 ? {} : { ca: [...options.authorities] }),
          timeout: timeoutMs,
          ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
        },
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        maxResponseSize: maxAnswerBytes,
      })
    return { agent: createAgent(options.identity), createAgent, request }
  }
  const requester = async (url: string | URL, init: HttpRequest = {}): Promise<HttpAnswer> => {
    const { agent: shared, createAgent, request: undiciRequest } = await (loading ??= load())
    const target = new URL(url)
    const agent = init.identity === undefined ? shared : createAgent(init.identity)
    try {
      const answer = await undiciRequest(target, {
        dispatcher: agent,
        method: init.method ?? 'GET',
        headers: { ...init.headers },
        body: init.body ?? null,
        signal: withDeadline(timeoutMs, init.signal),
      })
      const headers: Record<string, string> = {}
      for (const [name, value] of Object.entries(answer.headers))
        if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
      const body = await answer.body.text()
      return { status: answer.statusCode, headers, text: () => Promise.resolve(body) }
    } catch (cause) {
      throw requestError(cause, target, timeoutMs)
    } finally {
      if (agent !== shared) void agent.close()
    }
  }
  return Object.assign(requester, { [Symbol.asyncDispose]: async () => (await loading)?.agent.close() })
}

function requestError(cause: unknown, target: URL, timeoutMs: number): ConnectivityError {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  const where = `${target.protocol}//${target.host}${target.pathname}`
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code)) {
    return new ConnectivityError(
      'PEER_UNTRUSTED',
      `${where}: its certificate is not trusted (${code}); check which authority it was issued by`,
      { cause },
    )
  }
  if (cause instanceof DOMException || /TIMEOUT/.test(code))
    return new ConnectivityError('DEADLINE_EXCEEDED', `${where}: no answer within ${timeoutMs / 1000} s`, { cause })
  return new ConnectivityError('PEER_UNREACHABLE', `${where} cannot be reached${code === '' ? '' : ` (${code})`}; is it running?`, {
    cause,
  })
}
