import { writeFileSync } from 'node:fs'
import { silentLogger, systemClock } from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createHttpAdapter } from '@sallyport/http'
import { connect as connectByName, createClassicBinding, createRfcAdapter, createSoapBinding, type RfcClient } from '@sallyport/rfc'
import { type AbapGateway, createAbapGateway } from '@sallyport/conformance/backends'
import {
  createMessageServer,
  createSapRouter,
  createSoapNode,
  type MessageServer,
  type SapRouter,
  type SoapNode,
} from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { findDestination, stubApplication } from './found-destination.ts'
import { createInstallation, type Installation } from './installation.ts'

let gateway: AbapGateway
let messageServer: MessageServer
let router: SapRouter
let soapNode: SoapNode
let stack: Installation
const opened: AsyncDisposable[] = []

const signal = (): AbortSignal => AbortSignal.timeout(15_000)
const destination = (name: string, properties: Readonly<Record<string, string>>): string =>
  `      - ${JSON.stringify({
    Name: name,
    Type: 'RFC',
    'jco.destination.proxy_type': 'OnPremise',
    'jco.destination.x.binding': 'classic',
    'jco.client.ashost': 'erp.demo',
    'jco.client.sysnr': '00',
    'jco.client.client': '001',
    'jco.client.user': 'DEVELOPER',
    'jco.client.passwd': 'secret',
    ...properties,
  })}\n`

/** What the connector exposes; `functions` are those of the first mapping. */
const configuration = (functions: string): string => `version: 1
subaccounts:
  - id: demo
    destinations:
${destination('ERP', {})}${destination('ROUTED', { 'jco.client.sysnr': '01' })}${destination('BLOCKED', { 'jco.client.sysnr': '02' })}${destination(
  'BALANCED',
  {
    'jco.client.ashost': '',
    'jco.client.sysnr': '',
    'jco.client.mshost': 'ms.demo',
    'jco.client.r3name': 'ABC',
  },
).replaceAll(
  /"jco\.client\.(?:ashost|sysnr)":"",/g,
  '',
)}${destination('AUTOMATIC', { 'jco.destination.x.binding': 'auto' })}${destination('OVER_SOAP', { 'jco.destination.x.binding': 'soap', 'jco.destination.x.soap_destination': 'NODE' })}${destination('NOWHERE', { 'jco.client.sysnr': '77' })}
      - ${JSON.stringify({ Name: 'NODE', Type: 'HTTP', ProxyType: 'OnPremise', URL: 'http://erp.demo:8000', Authentication: 'BasicAuthentication', User: 'DEVELOPER', Password: 'secret' })}
connectors:
  - audit: { level: ALL }
    services: { sapmsABC: 3600 }
    mappings:
      - virtual: "erp.demo:sapgw00"
        internal: "rfc://127.0.0.1:${gateway.address.port}"
        systemNumber: "42"
        backendType: abapSys
        functions: ${functions}
      - virtual: "erp.demo:sapgw01"
        internal: "rfc://erp.internal:sapgw42"
        sapRouter: { file: route }
        backendType: abapSys
        functions: [{ name: STFC_, prefix: true }]
      - virtual: "erp.demo:sapgw02"
        internal: "rfc://127.0.0.1:${gateway.address.port}"
        systemNumber: "42"
        backendType: abapSys
        blockedUsers: [{ client: "001", user: developer }]
      - virtual: "erp.demo:8000"
        internal: "${soapNode.url}"
        backendType: abapSys
        resources: [{ path: /sap/bc/soap/rfc }, { path: /sap/bc/soap/wsdl }]
        soapFunctionFilter: true
        functions: [{ name: STFC_CONNECTION }]
      - virtual: "ms.demo:sapmsABC"
        internal: "rfc://127.0.0.1:${messageServer.address.port}"
        logonGroup: SALES
        backendType: abapSys
        functions: [{ name: STFC_, prefix: true }]
`

async function connect(name: string): Promise<RfcClient> {
  const { credentials, destination: target, socks5: dial, tokens } = await findDestination(stack, name, 'RFC')
  opened.push(tokens)
  const adapter = createRfcAdapter({ clock: systemClock, bindings: [createClassicBinding({ services: { sapmsABC: 3600 } })] })
  const client = await adapter.connect(target, { dial, credentials, signal: signal(), log: silentLogger })
  opened.push(client)
  return client
}

describe('an ABAP system behind the connector, over SOCKS5', () => {
  beforeAll(async () => {
    gateway = await createAbapGateway()
    messageServer = await createMessageServer({ groups: { SALES: [{ host: '127.0.0.1', dispatcherPort: gateway.address.port - 100 }] } })
    soapNode = await createSoapNode()
    router = await createSapRouter({ route: (host) => (host === 'erp.internal' ? gateway.address : -90), password: 'pass-of-router' })
    stack = await createInstallation()
    writeFileSync(stack.file('route'), `/H/127.0.0.1/S/${router.address.port}/W/pass-of-router`, { mode: 0o600 })
    writeFileSync(stack.file('sallyport.yaml'), configuration('[{ name: STFC_CONNECTION }]'))
    await stack.dev(['--config', stack.file('sallyport.yaml')])
  }, 60_000)
  afterAll(async () => {
    for (const each of opened.toReversed()) await each[Symbol.asyncDispose]()
    await stack?.[Symbol.asyncDispose]()
    for (const peer of [soapNode, router, messageServer, gateway]) await peer?.[Symbol.asyncDispose]()
  })

  it('answers the functions that the mapping admits, and knows itself by its internal name', async () => {
    const client = await connect('ERP')
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'grüße' })).toMatchObject({ ECHOTEXT: 'grüße' })
    expect(gateway.seen.initializations.at(-1)).toMatchObject({ logicalUnit: '127.0.0.1', transactionProgram: 'sapdp42' })
    expect(gateway.seen.violations).toEqual([])
  })

  it('is called by the name of the destination alone, and the choice of the binding says why', async () => {
    const { ca } = stubApplication(stack)
    onTestFinished(() => void vi.unstubAllEnvs())
    for (const name of ['ERP', 'AUTOMATIC']) {
      await using client = await connectByName(name, { ca, signal: signal() })
      expect(await client.call('STFC_CONNECTION', { REQUTEXT: name })).toMatchObject({ ECHOTEXT: name })
      expect(client.info).toMatchObject({ binding: 'classic' })
    }
  })

  it('PR-095 denies the others with a text for the caller, before the system hears of them', async () => {
    const client = await connect('ERP')
    await client.call('STFC_CONNECTION', { REQUTEXT: '' })
    const calls = gateway.seen.calls.length
    await expect(client.call('STFC_CHANGING', { START_VALUE: 1, COUNTER: 1 })).rejects.toThrow(
      /Access denied for STFC_CHANGING on erp\.demo:sapgw00\. Expose the function module in your Cloud Connector in case it was a valid request\./,
    )
    expect(gateway.seen.calls.slice(calls).filter(({ functionName }) => functionName === 'STFC_CHANGING')).toEqual([])
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'again' })).toMatchObject({ ECHOTEXT: 'again' })
  })

  it('admits a function from the moment when the configuration does', async () => {
    const client = await connect('ERP')
    writeFileSync(stack.file('sallyport.yaml'), configuration('[{ name: STFC_, prefix: true }]'))
    await expect
      .poll(
        async () =>
          await client.call('STFC_CHANGING', { START_VALUE: 1, COUNTER: 1 }).then(
            () => 'answered',
            () => 'denied',
          ),
        { timeout: 10_000 },
      )
      .toBe('answered')
  })

  it('refuses a blocked user at the logon, and nobody else is asked', async () => {
    const logons = gateway.seen.logons.length
    const client = await connect('BLOCKED')
    await expect(client.call('STFC_CONNECTION', { REQUTEXT: '' })).rejects.toThrow(/Access denied for client 001 on erp\.demo:sapgw02\./)
    expect(gateway.seen.logons).toHaveLength(logons)
  })

  it('PR-102 is reached through a SAProuter whose password stands in a file', async () => {
    const client = await connect('ROUTED')
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'routed' })).toMatchObject({ ECHOTEXT: 'routed' })
    expect(router.requests.at(-1)?.hops.at(-1)).toEqual({ host: 'erp.internal', service: '3342', password: '' })
  })

  it('is chosen by the message server that the connector asks', async () => {
    const client = await connect('BALANCED')
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'balanced' })).toMatchObject({ ECHOTEXT: 'balanced' })
    expect(messageServer.lookups).toContain('SALES')
  })

  it('PR-091 is not there without a mapping', async () => {
    const accepted = gateway.accepted
    const client = await connect('NOWHERE')
    await expect(client.call('STFC_CONNECTION', { REQUTEXT: '' })).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
    expect(gateway.accepted).toBe(accepted)
  })

  it('PR-112 answers over SOAP what the same functions admit, and denies the others', async () => {
    const { connectivity, credentials, destination: target, socks5: dial, tokens } = await findDestination(stack, 'OVER_SOAP', 'RFC')
    opened.push(tokens)
    const proxy = {
      address: connectivity.httpProxy,
      tenant: 'demo',
      token: (abort: AbortSignal) => tokens.get({ signal: abort }),
      forget: tokens.forget,
    }
    const http = createHttpAdapter({ clock: systemClock, proxy })
    const soap = createSoapBinding({
      async connectHttp(name, context) {
        const found = await findDestination(stack, name, 'HTTP')
        opened.push(found.tokens)
        return await http.connect(found.destination, { ...context, dial: createDirectDial(), credentials: found.credentials })
      },
    })
    const adapter = createRfcAdapter({ clock: systemClock, bindings: [soap] })
    const client = await adapter.connect(target, { dial, credentials, signal: signal(), log: silentLogger })
    opened.push(client)
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'über SOAP' })).toMatchObject({ ECHOTEXT: 'über SOAP' })
    await expect(client.call('STFC_CHANGING', { START_VALUE: 1, COUNTER: 1 })).rejects.toThrow(
      /Access denied for STFC_CHANGING on erp.demo:8000/,
    )
    expect(soapNode.calls.map(({ functionName }) => functionName)).toEqual(['STFC_CONNECTION'])
  })

  it('carries what is larger than a record, both ways', async () => {
    const client = await connect('ERP')
    const rows = Array.from({ length: 2000 }, (_, at) => ({ RFCINT4: at, RFCCHAR1: 'x' }))
    const answer = await client.call('STFC_STRUCTURE', { IMPORTSTRUCT: { RFCINT4: 7 }, RFCTABLE: rows })
    expect(answer).toMatchObject({ ECHOSTRUCT: { RFCINT4: 7 } })
    expect((answer['RFCTABLE'] as readonly unknown[]).length).toBeGreaterThanOrEqual(2000)
  })
})
