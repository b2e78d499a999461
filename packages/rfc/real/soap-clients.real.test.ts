import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { installPythonPackage } from '@sallyport/real-backends'
import { createSoapNode, listen, type SoapNode } from '@sallyport/test-fixtures'
import { BasicAuthSecurity, type Client, createClientAsync, listen as serveSoap } from 'soap'
import { describe, expect, it } from 'vitest'
import { connectSoap } from '../conformance/soap-client.ts'

const python = await installPythonPackage(
  { name: 'zeep', version: '4.3.3', module: 'zeep' },
  join(import.meta.dirname, '..', 'node_modules'),
)

const row = { RFCFLOAT: 1.5, RFCCHAR1: 'X', RFCINT2: -2, RFCINT1: 255, RFCCHAR4: 'ÄÖ&<', RFCINT4: 7, RFCHEX3: 'AP8Q', RFCCHAR2: '', RFCTIME: '23:59:59', RFCDATE: '2026-11-22', RFCDATA1: 'one', RFCDATA2: 'two' } // prettier-ignore

/** What the clients of others get from the fixture node, and our client alike. */
interface Foreign {
  readonly name: string
  readonly isMissing: boolean
  readonly call: (node: SoapNode, functionName: string, parameters: unknown) => Promise<unknown>
}

const wsdlOf = (node: SoapNode, functionName: string): string => `${node.url}/sap/bc/soap/wsdl?services=${functionName}&sap-client=001`

const foreign: readonly Foreign[] = [
  { name: 'npm soap', isMissing: false, call: callWithSoap },
  { name: 'PyPI zeep', isMissing: python === undefined, call: callWithZeep },
]

async function callWithSoap(node: SoapNode, functionName: string, parameters: unknown): Promise<unknown> {
  const authorization = `Basic ${Buffer.from('DEVELOPER:secret').toString('base64')}`
  const client: Client = await createClientAsync(wsdlOf(node, functionName), { wsdl_headers: { authorization } })
  client.setSecurity(new BasicAuthSecurity('DEVELOPER', 'secret'))
  const method = (client as unknown as Record<string, (input: unknown) => Promise<readonly unknown[]>>)[`${functionName}Async`]
  if (method === undefined) throw new Error(`soap found no ${functionName} in the WSDL`)
  return (await method(parameters))[0]
}

async function callWithZeep(node: SoapNode, functionName: string, parameters: unknown): Promise<unknown> {
  const client = spawn(python ?? '', [join(import.meta.dirname, 'zeep_client.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
  client.stdin.end(
    JSON.stringify({ wsdl: wsdlOf(node, functionName), user: 'DEVELOPER', password: 'secret', function: functionName, parameters }),
  )
  const answer = JSON.parse(await text(client.stdout)) as { readonly result?: unknown; readonly fault?: string; readonly detail?: unknown }
  if (answer.fault !== undefined) throw new Error(`${answer.fault} ${JSON.stringify(answer.detail)}`)
  return answer.result
}

describe.each(foreign)('the WSDL of the node in the hands of $name', ({ isMissing, call }) => {
  it.skipIf(isMissing)('PR-109 calls with text, structures, numbers, dates and tables', async () => {
    await using node = await createSoapNode()
    expect(await call(node, 'STFC_CONNECTION', { REQUTEXT: 'Grüße <&>' })).toMatchObject({ ECHOTEXT: 'Grüße <&>' })
    const answer = (await call(node, 'STFC_STRUCTURE', { IMPORTSTRUCT: row, RFCTABLE: { item: [row, row] } })) as Record<string, unknown>
    expect(answer['ECHOSTRUCT']).toMatchObject({ RFCCHAR4: 'ÄÖ&<', RFCINT4: 7, RFCTIME: '23:59:59' })
    // npm soap makes a moment of the date, and leaves the byte as text.
    expect(JSON.parse(JSON.stringify(answer['ECHOSTRUCT']))).toMatchObject({
      RFCDATE: expect.stringMatching(/^2026-11-22/),
      RFCINT1: expect.toSatisfy((value) => Number(value) === 255),
    })
    expect((answer['RFCTABLE'] as { readonly item: readonly unknown[] }).item).toHaveLength(3)
    expect(node.calls.map(({ functionName, user }) => [functionName, user])).toEqual([
      ['STFC_CONNECTION', 'DEVELOPER'],
      ['STFC_STRUCTURE', 'DEVELOPER'],
    ])
    expect(node.calls[1]?.inputs['IMPORTSTRUCT']).toMatchObject({
      RFCHEX3: Buffer.from('00ff10', 'hex'),
      RFCFLOAT: 1.5,
      RFCDATE: '20261122',
    })
  })

  it.skipIf(isMissing)('sees an exception as a fault', async () => {
    await using node = await createSoapNode()
    await expect(call(node, 'STFC_EXCEPTION', {})).rejects.toThrow(/EXAMPLE|500/)
    expect(node.requests.at(-1)?.method).toBe('POST')
  })
})

describe('our client at the server of npm soap', () => {
  it('reads its answers and its faults', async () => {
    await using node = await createSoapNode()
    const headers = { authorization: `Basic ${Buffer.from('DEVELOPER:secret').toString('base64')}` }
    const wsdl = await (await fetch(wsdlOf(node, 'STFC_STRUCTURE'), { headers })).text()
    const server = createServer((_request, response) => response.setHeader('content-type', 'text/xml').end(wsdl))
    const { port } = await listen(server)
    const seen: unknown[] = []
    serveSoap(
      server,
      '/sap/bc/soap/rfc',
      {
        STFC_STRUCTUREService: {
          STFC_STRUCTUREPortType: {
            STFC_STRUCTURE(input: { readonly IMPORTSTRUCT: { readonly RFCCHAR4: string }; readonly RFCTABLE: unknown }) {
              seen.push(input)
              if (input.IMPORTSTRUCT.RFCCHAR4 === 'BAD') {
                const Fault = { faultcode: 'SOAP-ENV:Client', faultstring: 'no such thing', detail: 'no such thing' }
                throw Object.assign(new Error('fault'), { Fault: { ...Fault, statusCode: 500 } })
              }
              // It reads dates as moments, and writes none of them.
              return {
                ECHOSTRUCT: { ...input.IMPORTSTRUCT, RFCDATE: '2026-11-22' },
                RESPTEXT: 'from another server',
                RFCTABLE: { item: [input.IMPORTSTRUCT, row] },
              }
            },
          },
        },
      },
      wsdl,
    )
    await using client = await connectSoap(`http://127.0.0.1:${port}`)
    const answer = await client.call('STFC_STRUCTURE', {
      IMPORTSTRUCT: { RFCCHAR4: 'a<b', RFCDATE: '20261122', RFCFLOAT: 0.25 },
      RFCTABLE: [{ RFCINT4: 1 }, { RFCINT4: 2 }],
    })
    expect(answer['ECHOSTRUCT']).toMatchObject({ RFCCHAR4: 'a<b', RFCDATE: '20261122', RFCFLOAT: 0.25, RFCINT4: 0 })
    expect(answer['RFCTABLE']).toMatchObject([
      { RFCCHAR4: 'a<b' },
      { RFCINT1: 255, RFCTIME: '235959', RFCHEX3: Buffer.from('00ff10', 'hex') },
    ])
    expect(seen).toMatchObject([{ RFCTABLE: { item: [{ RFCINT4: 1 }, { RFCINT4: 2 }] } }])
    await expect(client.call('STFC_STRUCTURE', { IMPORTSTRUCT: { RFCCHAR4: 'BAD' } })).rejects.toMatchObject({
      details: { group: 'SYSTEM_FAILURE' },
      message: expect.stringContaining('no such thing'),
    })
    await new Promise((resolve) => server.close(resolve))
  })
})
