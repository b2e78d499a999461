/**
 * Sends one HTTP request; `fetch` is one. Injected, because who calls decides about certificate authorities, proxies and the size of answers. Redirects must
 * not be followed: the request carries a token.
 */
export type AdminRequest = (url: string, init: AdminRequestInit) => Promise<AdminAnswer>

/** What is sent; a subset of what `fetch` takes. */
export interface AdminRequestInit {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly headers: Record<string, string>
  readonly body?: string
  readonly redirect: 'manual'
  readonly signal: AbortSignal
}

/** What comes back; a subset of what `fetch` returns. How much `text` reads at most is decided by whoever made the request. */
export interface AdminAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
}
