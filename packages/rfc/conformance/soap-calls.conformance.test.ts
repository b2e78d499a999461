import type { DeepType } from '@sallyport/rfc-wire'
import { type AbapFunction, AbapFailure } from '@sallyport/conformance/backends'
import { createSoapNode, type SoapNode, type SoapNodeOptions } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import type { RfcClient, RfcStructure } from '../src/index.ts'
import { connectSoap, type SoapClientOptions } from './soap-client.ts'

async function withNode<T>(
  node: SoapNodeOptions,
  client: SoapClientOptions,
  work: (client: RfcClient, node: SoapNode) => Promise<T>,
): Promise<T> {
  await using started = await createSoapNode(node)
  await using connected = await connectSoap(started.url, client)
  return await work(connected, started)
}

const bodies = (node: SoapNode): readonly string[] => node.requests.filter(({ method }) => method === 'POST').map(({ body }) => body)

describe('calls over SOAP', () => {
  it('PR-105 puts the operation into the namespace of functions and parameters into none, and escapes text', async () => {
    await withNode({}, { properties: { 'jco.client.lang': 'de' } }, async (client, node) => {
      const text = `<&> "quoted" 'and' ]]> Grüße €`
      expect((await client.call('STFC_CONNECTION', { requtext: text }))['ECHOTEXT']).toBe(text)
      const [body = ''] = bodies(node)
      expect(body).toContain('xmlns:urn="urn:sap-com:document:sap:rfc:functions"')
      expect(body).toMatch(
        /<urn:STFC_CONNECTION><REQUTEXT>&lt;&amp;&gt; "quoted" 'and' \]\]&gt; Grüße €<\/REQUTEXT><\/urn:STFC_CONNECTION>/,
      )
      expect(body).not.toMatch(/<REQUTEXT[^>]*xmlns/)
      const call = node.requests.find(({ method }) => method === 'POST')
      expect(call?.target).toBe('/sap/bc/soap/rfc?sap-client=001&sap-language=DE')
      expect(call?.headers).toMatchObject({ 'content-type': 'text/xml; charset=utf-8', soapaction: '""' })
      expect(node.calls).toMatchObject([{ user: 'DEVELOPER', client: '001', language: 'DE' }])
    })
  })

  it('PR-106 sends every table, empty if need be; the system forgets those that are not declared', async () => {
    await withNode({}, {}, async (client, node) => {
      const whole = await client.call('Z_VOLUME', { ROWS_BACK: 3 })
      expect(whole['ROWS']).toEqual([{ WA: 'row 0' }, { WA: 'row 1' }, { WA: 'row 2' }])
      expect(node.calls[0]?.sent).toEqual(['ROWS_BACK', 'ROWS'])
      // A table that nobody wants is the one that is left out, and then it does not come.
      const without = await client.call('Z_VOLUME', { ROWS_BACK: 3 }, { notRequested: ['rows'] })
      expect(without).toEqual({ ROWS_SEEN: 0 })
      expect(node.calls[1]?.sent).toEqual(['ROWS_BACK'])
    })
    // Without WSDL nobody knows the tables but the caller.
    await withNode({ inactive: ['wsdl'] }, {}, async (client, node) => {
      expect(await client.call('Z_VOLUME', { ROWS_BACK: 2 })).toEqual({ ROWS_SEEN: '0' })
      expect(await client.call('Z_VOLUME', { ROWS_BACK: 2 }, { tables: ['rows'] })).toEqual({
        ROWS_SEEN: '0',
        ROWS: [{ WA: 'row 0' }, { WA: 'row 1' }],
      })
      expect(node.calls.map(({ sent }) => sent)).toEqual([['ROWS_BACK'], ['ROWS_BACK', 'ROWS']])
    })
  })

  it.each<NonNullable<SoapNodeOptions['form']>>([
    { name: 'FM.Response' },
    { name: 'FMResponse', prefix: 'soap-env' },
    { name: 'FM.Response', prefix: 'x', reversed: true },
    { latin1: true },
  ])('PR-107 reads a reply written as %j', async (form) => {
    await withNode({ form }, {}, async (client) => {
      const answer = await client.call('STFC_STRUCTURE', { IMPORTSTRUCT: { RFCCHAR4: 'ÄÖÜ', RFCINT4: 7 }, RFCTABLE: [{ RFCINT1: 255 }] })
      expect(answer['ECHOSTRUCT']).toMatchObject({ RFCCHAR4: 'ÄÖÜ', RFCINT4: 7, RFCFLOAT: 0, RFCDATE: '00000000' })
      expect(answer['RFCTABLE']).toMatchObject([{ RFCINT1: 255 }, { RFCCHAR4: 'ÄÖÜ' }])
    })
  })

  it('PR-108 tells exceptions, errors of the system and texts apart', async () => {
    const declining: AbapFunction = {
      name: 'Z_DECLINE',
      parameters: [],
      run() {
        throw new AbapFailure({
          exceptionKey: 'NOT_ENOUGH',
          messageClass: 'SR',
          messageNumber: '017',
          messageText: 'Only 3 left',
          messageVariable1: '3',
        })
      },
    }
    await withNode({ functions: [declining], forbidden: ['RFC_SYSTEM_INFO'] }, {}, async (client) => {
      await expect(client.call('STFC_EXCEPTION')).rejects.toMatchObject({
        code: 'OPERATION_REFUSED',
        details: { group: 'ABAP_EXCEPTION', groupNumber: 126, key: 'EXAMPLE', requestSent: true },
      })
      await expect(client.call('Z_DECLINE')).rejects.toMatchObject({
        message: 'call Z_DECLINE at destination "ERP": NOT_ENOUGH: Only 3 left',
        details: { key: 'NOT_ENOUGH', messageClass: 'SR', messageNumber: '017', messageV1: '3' },
      })
      await expect(client.call('RFC_RAISE_ERROR', { MESSAGETYPE: 'A' })).rejects.toMatchObject({
        code: 'BACKEND_FAILED',
        message: expect.stringContaining('A: Manual message for tests'),
        details: { group: 'SYSTEM_FAILURE', groupNumber: 104, key: 'A' },
      })
      await expect(client.call('RFC_RAISE_ERROR', { METHOD: '3' })).rejects.toMatchObject({
        details: { group: 'SYSTEM_FAILURE', key: 'COMPUTE_INT_ZERODIVIDE' },
      })
      await expect(client.call('RFC_SYSTEM_INFO')).rejects.toMatchObject({
        code: 'OPERATION_FORBIDDEN',
        details: { group: 'SYSTEM_FAILURE', key: 'RFC_NO_AUTHORITY' },
      })
    })
    // What is no SOAP: a wrong password, a page to log on, an inactive service, a wrong path, and a proxy that has no system.
    const answers = [
      [{ status: 401, body: '<html>Logon failed</html>' }, 'LOGON_REFUSED', 'LOGON'],
      [{ status: 403, body: '<html><form><input type="password"></form></html>' }, 'LOGON_REFUSED', 'LOGON'],
      [{ status: 403, body: '<html><style>x{}</style><h1>Service inactive</h1></html>' }, 'BACKEND_UNREACHABLE', 'COMMUNICATION'],
      [{ status: 404, body: '<html>nothing here</html>' }, 'BACKEND_UNREACHABLE', 'COMMUNICATION'],
      [{ status: 502, body: 'bad gateway' }, 'BACKEND_UNREACHABLE', 'COMMUNICATION'],
      [{ status: 403, headers: { 'x-connectivity-error-origin': 'cloud-connector' }, body: 'denied' }, 'ACCESS_DENIED', 'COMMUNICATION'],
      [{ status: 200, body: '<html><p>Welcome' }, 'PROTOCOL_VIOLATION', 'COMMUNICATION'],
    ] as const
    for (const [answer, code, group] of answers) {
      await withNode({ script: ({ method }) => (method === 'POST' ? answer : undefined) }, {}, async (client) => {
        await expect(client.call('STFC_CONNECTION'), answer.body).rejects.toMatchObject({ code, details: { group } })
      })
    }
    await withNode({ inactive: ['rfc'] }, {}, async (client) => {
      await expect(client.call('STFC_CONNECTION')).rejects.toMatchObject({
        message: expect.stringContaining('is the service /sap/bc/soap/rfc active (SICF)?: Service inactive'),
      })
    })
    await withNode({ users: [] }, {}, async (client) => {
      await expect(client.call('STFC_CONNECTION')).rejects.toMatchObject({ code: 'LOGON_REFUSED', details: { group: 'LOGON' } })
    })
  })

  it('PR-110 converts dates, times, decimals and bytes, both ways', async () => {
    const values = {
      IN_CHAR: 'äöü', IN_NUMC: '00000042', IN_DATS: '20261122', IN_TIMS: '235959', IN_INT1: 255, IN_INT2: -32_768, IN_INT4: 2_147_483_647,
      IN_INT8: -9_223_372_036_854_775_808n, IN_FLOAT: -1.5e-300, IN_PACKED: '-1234567890123.45', IN_RAW: Buffer.from('00ff10aa55', 'hex'),
      IN_STRING: ' lines\nand blanks ', IN_XSTRING: Buffer.from('Grüße'), IN_DEEP: { TITLE: 'a', POINTS: [{ X: 1, Y: 0.5 }], NAMES: ['one', 'two'], CENTRE: { X: 2, Y: -1 } },
    } satisfies RfcStructure // prettier-ignore
    await withNode({}, {}, async (client, node) => {
      const answer = await client.call('Z_TYPES', values)
      for (const [name, value] of Object.entries(values)) expect(answer[name.replace('IN_', 'OUT_')], name).toEqual(value)
      const [body] = bodies(node)
      expect(body).toContain('<IN_DATS>2026-11-22</IN_DATS><IN_TIMS>23:59:59</IN_TIMS>')
      expect(body).toContain(`<IN_RAW>${Buffer.from('00ff10aa55', 'hex').toString('base64')}</IN_RAW>`)
      // What is not set is initial, and looks as it does everywhere.
      expect(await client.call('Z_TYPES', { IN_INT8: 5 })).toMatchObject({
        OUT_INT8: 5, OUT_CHAR: '', OUT_NUMC: '00000000', OUT_DATS: '00000000', OUT_TIMS: '000000', OUT_INT4: 0, OUT_FLOAT: 0,
        OUT_PACKED: '0.00', OUT_RAW: Buffer.alloc(5), OUT_STRING: '', OUT_XSTRING: Buffer.alloc(0), OUT_DEEP: { POINTS: [], CENTRE: { X: 0, Y: 0 } },
      }) // prettier-ignore
      expect(await client.call('Z_TYPES', { IN_DATS: '2026-11-22', IN_TIMS: '', IN_PACKED: 7.5 })).toMatchObject({
        OUT_DATS: '20261122',
        OUT_TIMS: '000000',
        OUT_PACKED: '7.50',
      })
    })
    const packed: DeepType = { kind: 'packed', bytes: 2, decimals: 0 }
    const overflow: AbapFunction = {
      name: 'Z_OVERFLOW',
      parameters: [{ name: 'SUM', direction: 'export', type: packed }],
      run: () => ({ SUM: '4711' }),
    }
    await withNode({ functions: [overflow] }, {}, async (client, node) => {
      await expect(client.call('Z_OVERFLOW')).rejects.toMatchObject({
        message: expect.stringContaining('SUM did not fit'),
        details: { group: 'CONVERSION', requestSent: true },
      })
      expect(node.calls).toHaveLength(1)
    })
  })

  it.each<[RfcStructure, string]>([
    [{ IN_CHAR: 'x'.repeat(11) }, 'IN_CHAR'],
    [{ IN_CHAR: 'a\u0000' }, 'IN_CHAR'],
    [{ IN_NUMC: '12a' }, 'IN_NUMC'],
    [{ IN_DATS: 'tomorrow' }, 'IN_DATS'],
    [{ IN_TIMS: '25' }, 'IN_TIMS'],
    [{ IN_INT1: 256 }, 'IN_INT1'],
    [{ IN_INT2: 1.5 }, 'IN_INT2'],
    [{ IN_INT4: 2_147_483_648 }, 'IN_INT4'],
    [{ IN_FLOAT: Number.NaN }, 'IN_FLOAT'],
    [{ IN_PACKED: '1,5' }, 'IN_PACKED'],
    [{ IN_RAW: 'text' }, 'IN_RAW'],
    [{ IN_RAW: Buffer.alloc(6) }, 'IN_RAW'],
    [{ IN_DEEP: { POINTS: {} } }, 'IN_DEEP-POINTS'.split('-')[1] ?? ''],
    [{ IN_DEEP: { NOTHING: 1 } }, 'NOTHING'],
    [{ IN_OTHER: 1 }, 'IN_OTHER'],
    [{ OUT_CHAR: 'x' }, 'OUT_CHAR'],
  ])('refuses %j before it sends anything', async (parameters, name) => {
    await withNode({}, {}, async (client, node) => {
      await expect(client.call('Z_TYPES', parameters)).rejects.toMatchObject({
        code: 'MESSAGE_INVALID',
        message: expect.stringContaining(name),
        details: { group: 'CONVERSION', requestSent: false },
      })
      expect(bodies(node)).toEqual([])
    })
  })

  it('describes function modules, looks each up once, and says which do not exist', async () => {
    await withNode({}, {}, async (client, node) => {
      const { parameters } = await client.describe('stfc_structure')
      expect(parameters.map(({ name, direction, type, isOptional }) => [name, direction, type.kind, isOptional])).toEqual([
        ['IMPORTSTRUCT', 'importing', 'components', false],
        ['RFCTABLE', 'tables', 'table', false],
        ['ECHOSTRUCT', 'exporting', 'components', true],
        ['RESPTEXT', 'exporting', 'char', true],
      ])
      for (const functionName of ['STFC_CONNECTION', 'STFC_CONNECTION', 'STFC_STRUCTURE']) await client.call(functionName)
      expect(node.requests.filter(({ method }) => method === 'GET').map(({ target }) => target)).toEqual([
        '/sap/bc/soap/wsdl?services=STFC_STRUCTURE&sap-client=001',
        '/sap/bc/soap/wsdl?services=STFC_CONNECTION&sap-client=001',
      ])
      await expect(client.call('Z_NOBODY')).rejects.toMatchObject({
        code: 'NOT_FOUND',
        details: { group: 'FUNCTION_NOT_FOUND', groupNumber: 123 },
      })
    })
  })

  it('looks up with the user of the repository, and calls with the other', async () => {
    const users = [
      { client: '001', user: 'DEVELOPER', password: 'secret' },
      { client: '001', user: 'META', password: 'meta-secret' },
    ]
    const properties = { 'jco.destination.repository.user': 'meta', 'jco.destination.repository.passwd': 'meta-secret' }
    await withNode({ users }, { properties }, async (client, node) => {
      await client.call('STFC_CONNECTION')
      const who = node.requests.map(({ method, headers }) => [
        method,
        Buffer.from((headers.authorization ?? '').slice(6), 'base64').toString(),
      ])
      expect(who).toEqual([
        ['GET', 'META:meta-secret'],
        ['POST', 'DEVELOPER:secret'],
      ])
    })
  })

  it('answers a ping, and says with a ticket who asks', async () => {
    const userOf = ({ headers }: { readonly headers: { readonly cookie?: string | undefined } }): string | undefined =>
      headers.cookie === 'MYSAPSSO2=AjExMD' ? 'JANE' : undefined
    const properties = { 'jco.client.mysapsso2': 'AjExMD', 'jco.destination.x.binding': 'soap' }
    await withNode({ userOf }, { properties, credentials: { kind: 'none' } }, async (client, node) => {
      await client.ping(AbortSignal.timeout(5000))
      expect(node.calls).toMatchObject([{ functionName: 'RFC_PING', user: 'JANE' }])
    })
  })
})
