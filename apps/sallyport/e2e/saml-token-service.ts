import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A token service of a partner, which gives a token for a SAML 2.0 assertion and remembers what it was asked. */
export interface SamlTokenService extends AsyncDisposable {
  readonly url: string
  /** Assertions as XML, in the order in which they came. */
  readonly assertions: readonly string[]
}

export async function startSamlTokenService(): Promise<SamlTokenService> {
  const assertions: string[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const form = new URLSearchParams(await text(request))
      const known = request.headers.authorization === `Basic ${Buffer.from('saml-client:saml-secret').toString('base64')}`
      response.setHeader('content-type', 'application/json')
      if (!known || form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:saml2-bearer') {
        response.writeHead(401).end(JSON.stringify({ error: 'invalid_client' }))
        return
      }
      const xml = Buffer.from(form.get('assertion') ?? '', 'base64url').toString('utf8')
      assertions.push(xml)
      const name = /<(?:\w+:)?NameID[^>]*>([^<]*)</.exec(xml)?.[1] ?? ''
      response.end(JSON.stringify({ access_token: `partner-token-of-${name}`, token_type: 'Bearer', expires_in: 3600 }))
    })().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    assertions,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
