import { describeDial } from '@sallyport/conformance'
import { createSecret, type ErrorCode } from '@sallyport/core'
import { createConnectProxy, createSocketNetwork } from '@sallyport/test-fixtures'
import { createProxyDial } from '../src/index.ts'

const credentials = { user: 'proxy-user', password: 'p4ss:wörd-of-the-proxy' }

const refused: Readonly<Record<string, readonly [string, ErrorCode]>> = {
  'forbidden.test:1': ['HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope', 'ACCESS_DENIED'],
  'method.test:1': ['HTTP/1.1 405 Method Not Allowed\r\n\r\n', 'ACCESS_DENIED'],
  'credentials.test:1': ['HTTP/1.1 407 Proxy Authentication Required\r\n\r\n', 'PROXY_AUTHORIZATION_REQUIRED'],
  'gateway.test:1': ['HTTP/1.0 502 Bad Gateway\r\n\r\n', 'BACKEND_UNREACHABLE'],
  'late.test:1': ['HTTP/1.1 504 Gateway Timeout\r\n\r\n', 'BACKEND_TIMEOUT'],
  'strange.test:1': ['HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test\r\n\r\n', 'PROTOCOL_VIOLATION'],
  'nonsense.test:1': ['220 mail.test ESMTP\r\n\r\n', 'PROTOCOL_VIOLATION'],
  'gone.test:1': ['', 'PEER_UNREACHABLE'],
}

describeDial('HTTP proxy with CONNECT', {
  async open() {
    const network = createSocketNetwork()
    const proxy = await createConnectProxy({
      credentials,
      before: 'HTTP/1.1 103 Early Hints\r\n\r\n',
      route: (authority) =>
        authority === 'silent.test:1'
          ? undefined
          : (refused[authority]?.[0] ?? { host: '127.0.0.1', port: Number(authority.split(':')[1]) }),
    })
    return {
      dial: createProxyDial({
        kind: 'http',
        proxy: proxy.address,
        credentials: { user: credentials.user, password: createSecret(credentials.password) },
      }),
      serve: async (handler) => ({ ...(await network.serve(handler)), host: 'peer.test' }),
      unused: async () => ({ ...(await network.unused()), host: 'peer.test' }),
      async idle() {
        await Promise.all([network.idle(), proxy.idle()])
      },
      silent: async () => ({ host: 'silent.test', port: 1 }),
      refusals: async () =>
        Object.entries(refused).map(([authority, [answer, code]]) => ({
          what: JSON.stringify(answer.slice(0, 20)),
          address: { host: authority.split(':')[0] ?? '', port: 1 },
          code,
        })),
      async [Symbol.asyncDispose]() {
        await Promise.all([network, proxy].map((part) => part[Symbol.asyncDispose]()))
      },
    }
  },
  features: { silence: true, locations: false, refusals: true },
  secrets: [credentials.password],
})
