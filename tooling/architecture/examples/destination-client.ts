import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSecret, type Secret } from '@sallyport/core'

/** A token service and a destination service in one, which knows one destination. */
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  if (request.method === 'POST') response.end(JSON.stringify({ access_token: 'token', token_type: 'bearer', expires_in: 3600 }))
  else {
    const destinationConfiguration = {
      Name: 'ERP',
      Type: 'HTTP',
      URL: 'http://erp',
      ProxyType: 'Internet',
      Authentication: 'NoAuthentication',
    }
    response.end(JSON.stringify({ owner: { SubaccountId: 'demo', InstanceId: null }, destinationConfiguration }))
  }
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
server.unref()
const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const credentials = { clientid: 'sb-app', clientsecret: 'secret', url: uri, uri }

/** The environment of an application. */
export const process = {
  env: { VCAP_SERVICES: JSON.stringify({ destination: [{ name: 'd', label: 'destination', tags: ['destination'], credentials }] }) },
}
export const userToken: Secret = createSecret('token of the user')
