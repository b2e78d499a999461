import { mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chooseDemoPorts } from '../src/stack/demo.ts'
import { type BoundServices, openBoundServices } from './bound-services.ts'
import { createInstallation, type Installation } from './installation.ts'

let stack: Installation
let file: string

beforeAll(async () => {
  stack = await createInstallation({ environment: { ROBOT_PASSWORD: 'p:ss' } })
  const { http } = await chooseDemoPorts()
  mkdirSync(stack.file('secrets'))
  writeFileSync(stack.file('secrets/directory'), 'r3ader\n')
  writeFileSync(stack.file('secrets/client'), '100\n')
  file = stack.file('whole.yaml')
  writeFileSync(
    file,
    `# yaml-language-server: $schema=./sallyport.schema.json
version: 1
subaccounts:
  - id: acme
    users: [{ name: jane@acme.test, groups: [buyers], attributes: { country: AT } }]
    destinations:
      - { Name: ORDERS, Type: HTTP, ProxyType: OnPremise, URL: "http://orders.virtual:443", Authentication: PrincipalPropagation }
      - { Name: PEOPLE, Type: LDAP, ldap.proxyType: OnPremise, ldap.url: "ldap://people.virtual:389", ldap.authentication: BasicAuthentication,
          ldap.user: "cn=reader,dc=acme", ldap.password: { file: ./secrets/directory } }
    fragments:
      - { FragmentName: AS_ROBOT, Authentication: BasicAuthentication, User: robot, Password: { env: ROBOT_PASSWORD } }
      - { FragmentName: CLIENT_100, sap-client: { file: ./secrets/client } }
connectors:
  - locationId: ""
    mappings:
      - virtual: "orders.virtual:443"
        internal: "https://orders.internal:44300"
        backendType: abapSys
        principalType: X509_GENERAL
        resources: [{ path: /sap/opu/odata, subPaths: true }, { path: /sap/bc/ping }]
      - { virtual: "post.virtual:25", internal: "tcp://127.0.0.1:2525" }
    principalPropagation: { subjectPattern: "CN=\${email}" }
demo: { http: ${http} }
strict: true
`,
  )
  await stack.dev(['--config', file])
}, 60_000)
afterAll(() => stack[Symbol.asyncDispose]())

/** What an application finds that names fragments. */
async function find(
  services: BoundServices,
  name: string,
  fragments: string,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const { access_token: token } = await services.token('destination', { grant_type: 'client_credentials' })
  const answer = await services.request(
    `${services.credentials.destination['uri'] ?? ''}/destination-configuration/v1/destinations/${name}`,
    {
      method: 'GET',
      headers: { authorization: `Bearer ${token}`, 'x-fragment-name': fragments },
    },
  )
  return { status: answer.status, body: JSON.parse(await answer.text()) }
}

describe('a configuration file with users, destinations, fragments, a connector and a demo', () => {
  it('is valid, and the schema that editors get knows all of it', async () => {
    expect(await stack.json(['config', 'validate', file])).toMatchObject({ valid: true, problems: [] })
    const schema = JSON.parse((await stack.run(['config', 'schema'])).stdout) as {
      readonly properties: {
        readonly subaccounts: { readonly items: { readonly properties: Record<string, { readonly items: unknown }> } }
      }
    }
    const { destinations, fragments } = schema.properties.subaccounts.items.properties
    expect(fragments).toMatchObject({ type: 'array', default: [], items: { type: 'object' } })
    expect(fragments?.items).toEqual(destinations?.items)
  })

  it('brings fragments that destinations are found with; what somebody has changed stays, and what is gone comes back with the next start', async () => {
    {
      await using services = openBoundServices(stack)
      expect(await find(services, 'ORDERS', 'AS_ROBOT,CLIENT_100')).toMatchObject({
        status: 200,
        body: {
          destinationConfiguration: {
            Name: 'ORDERS',
            URL: 'http://orders.virtual:443',
            Authentication: 'BasicAuthentication',
            User: 'robot',
            Password: 'p:ss',
            'sap-client': '100',
            FragmentName: 'AS_ROBOT,CLIENT_100',
          },
          authTokens: [{ type: 'Basic', value: Buffer.from('robot:p:ss').toString('base64') }],
        },
      })
      const changed = { FragmentName: 'CLIENT_100', 'sap-client': '200' }
      expect(await services.destinations('PUT', 'subaccountDestinationFragments', changed)).toMatchObject({ status: 200 })
      expect(await services.destinations('DELETE', 'subaccountDestinationFragments/AS_ROBOT')).toMatchObject({ status: 200 })
      expect((await find(services, 'ORDERS', 'AS_ROBOT')).status).toBe(404)
    }
    expect((await stack.run(['stop'])).code).toBe(0)
    stack.start(['serve', 'token-service,destination-service', '--config', file, '--port-offset', String(stack.portOffset)])
    await stack.ready(2)
    await using services = openBoundServices(stack)
    expect(await find(services, 'ORDERS', 'AS_ROBOT,CLIENT_100')).toMatchObject({
      status: 200,
      body: { destinationConfiguration: { User: 'robot', 'sap-client': '200' } },
    })
  })
})
