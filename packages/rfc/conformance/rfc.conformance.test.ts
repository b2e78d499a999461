import { describeOverDials } from '@sallyport/adapter-dials'
import { describeAdapter } from '@sallyport/conformance'
import { soapBackend } from '@sallyport/conformance/backends'
import { createSecret, type HttpDestination, parseDestination, systemClock } from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createHttpAdapter, type HttpAdapterOptions } from '@sallyport/http'
import { createProxiedNetwork } from '@sallyport/test-fixtures'
import { createRfcAdapter, createSoapBinding, type RfcBinding } from '../src/index.ts'

const proxyToken = 'proxy.token.of-the-connectivity-client'

/** An HTTP client of the connectivity proxy, or of the context's dial. */
function soapBinding(options: Partial<HttpAdapterOptions>): RfcBinding {
  return createSoapBinding({
    connectHttp(name, context) {
      const properties = { Name: name, Type: 'HTTP', URL: name, ProxyType: 'OnPremise', CloudConnectorLocationId: 'orlando' }
      return createHttpAdapter({ clock: systemClock, ...options }).connect(parseDestination(properties) as HttpDestination, context)
    },
  })
}

describeOverDials('rfc by soap', {
  ...soapBackend,
  create: () => createRfcAdapter({ clock: systemClock, bindings: [soapBinding({})] }),
})

describeAdapter('rfc by soap through a connectivity proxy', {
  ...soapBackend,
  open: async () => ({ ...(await createProxiedNetwork(proxyToken)), dial: createDirectDial() }),
  create: ({ proxy }) =>
    createRfcAdapter({
      clock: systemClock,
      bindings: [soapBinding({ proxy: { address: proxy, tenant: 'acme', token: async () => createSecret(proxyToken) } })],
    }),
  features: { ...soapBackend.features, principal: true, locations: false },
  secrets: [proxyToken],
})
