import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** Who knows which token belongs to whom (RFC 7662). */
export interface TokenIntrospection extends AsyncDisposable {
  readonly url: URL
  /** Whose each token is; a token that is not in it is not active. */
  readonly users: Map<string, string>
  /** The tokens that were asked for, in order. */
  readonly asked: readonly string[]
}

/** Starts it on a port of the loopback interface. The caller disposes it. */
export async function startTokenIntrospection(): Promise<TokenIntrospection> {
  const users = new Map<string, string>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const token = new URLSearchParams(await text(request)).get('token') ?? ''
      asked.push(token)
      const username = users.get(token)
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(username === undefined ? { active: false } : { active: true, username }))
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`),
    users,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
