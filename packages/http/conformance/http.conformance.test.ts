import { describeOverDials } from '@sallyport/adapter-dials'
import { describeAdapter } from '@sallyport/conformance'
import { httpBackend } from '@sallyport/conformance/backends'
import { createSecret, systemClock } from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createProxiedNetwork } from '@sallyport/test-fixtures'
import { createHttpAdapter } from '../src/index.ts'

const proxyToken = 'proxy.token.of-the-connectivity-client'

describeOverDials('http', { ...httpBackend, create: () => createHttpAdapter({ clock: systemClock }) })

describeAdapter('http through a connectivity proxy', {
  ...httpBackend,
  open: async () => ({ ...(await createProxiedNetwork(proxyToken)), dial: createDirectDial() }),
  create: ({ proxy }) =>
    createHttpAdapter({
      clock: systemClock,
      proxy: { address: proxy, tenant: 'acme', token: async () => createSecret(proxyToken) },
    }),
  features: { ...httpBackend.features, principal: true, locations: false },
  secrets: [proxyToken],
})
