import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  allocateRecord,
  type AppcRecord,
  clientGatewayConnect,
  formatAppcRecord,
  formatGatewayConnect,
  formatLogonGroupRequest,
  formatLogonRequest,
  formatMessageServerLogin,
  formatNiFrame,
  formatRouteRequest,
  formatRouterError,
  initializeRecord,
  isRefused,
  niPing,
  parseAppcRecord,
  parseChain,
  parseGatewayConnect,
  parseInitializeInfo,
  parseInitializeParameters,
  parseLogonGroupRequest,
  parseMessageServerMessage,
  parseRouteRequest,
  parseRouterError,
  partnerRecord,
  readLogonIdentity,
  readRequestData,
  requestRecords,
} from '../src/index.ts'
import { installPysap, type PysapPeer, startPysap } from './pysap.ts'

const conversation = { conversationId: '75568442', connectionIndex: 1 }
const target = {
  host: 'erp.example',
  systemNumber: '42',
  rootContextId: '0123456789ABCDEF',
  connectionId: 'FEDCBA9876543210',
  osUser: 'app',
}
const hops = [
  { host: 'rtr.example', service: '3299', password: 'pw' },
  { host: '10.0.0.7', service: '3300', password: '' },
]
const logon = formatLogonRequest({
  client: '001',
  user: 'DEVELOPER',
  password: 'secret',
  language: 'E',
  clientAddress: '127.0.0.1',
  hostName: 'apphost',
  program: 'node',
  release: '754',
  destination: 'ERP',
  sessionId: Buffer.alloc(16, 7),
  passwordSeed: 0x30054d96,
})

const python = await installPysap()

describe.skipIf(python === undefined)('pysap', () => {
  let pysap: PysapPeer
  beforeAll(() => {
    pysap = startPysap(python ?? '')
  })
  afterAll(async () => {
    await pysap[Symbol.asyncDispose]()
  })

  /** The record of a request with the logon chain. */
  function logonRecord(): AppcRecord {
    const [step] = requestRecords(logon, conversation)
    if (step === undefined) throw new Error('no record')
    return step.record
  }

  it.each([
    ['SAPNI', 'a frame', formatNiFrame(niPing), { length: 8 }],
    [
      'SAPRouter',
      'a route request',
      formatRouteRequest({ hops, passedHops: 1, talkMode: 0 }),
      { type: 'NI_ROUTE', route_entries: 2, route_rest_nodes: 1, route_offset: 20 },
    ],
    [
      'SAPRouter',
      'a SAProuter error',
      formatRouterError({ returnCode: -94, details: { counter: '1', text: 'denied' } }),
      { type: 'NI_RTERR', return_code: -94, err_text_value: { error: 'denied', counter: '1' } },
    ],
    [
      'SAPRFC',
      'a connect record',
      formatGatewayConnect(clientGatewayConnect({ program: 'node', hostName: 'apphost' })),
      {
        version: 2,
        req_type: 3,
        service: 'node\0\0\0\0\0\0',
        codepage: '1100',
        lu: 'apphost ',
        tp: 'node    ',
        accept_info: 0xcb,
        idx: -1,
      },
    ],
    ['SAPRFC', 'INITIALIZE', formatAppcRecord(initializeRecord(target)), { func_type: 1, sap_param_len: 373 }],
    [
      'SAPRFC',
      'SET_PARTNER_LU_NAME',
      formatAppcRecord(partnerRecord('erp.example', conversation)),
      { func_type: 0x0f, sap_param_len: 144 },
    ],
    ['SAPRFC', 'ALLOCATE', formatAppcRecord(allocateRecord(conversation)), { func_type: 5 }],
    ['SAPMS', 'a login', formatMessageServerLogin(), { flag: 2, iflag: 8, toname: '-'.padEnd(40) }],
    ['SAPMS', 'a look-up', formatLogonGroupRequest('PUBLIC'), { flag: 2, iflag: 1, toname: 'MSG_SERVER'.padEnd(40) }],
  ])('%s reads %s of ours and renders the same bytes', async (packetClass, _what, payload, expected) => {
    const { fields, again } = await pysap.parse(packetClass, payload)
    expect(fields).toMatchObject(expected)
    expect(again).toEqual(payload)
  })

  it('reads the parameters of our INITIALIZE at their places', async () => {
    // The first 32 bytes are the name of the destination; pysap begins behind them.
    const { body } = initializeRecord(target)
    const { fields } = await pysap.parse('SAPRFCDTStruct', Buffer.concat([Buffer.from([0x60]), body.subarray(34)]))
    expect(fields).toMatchObject({
      root_id: '0123456789ABCDEF',
      conn_id: 'FEDCBA9876543210',
      conn_id_suff: 1,
      timeout: -2,
      keepalive_timeout: -2,
    })
    expect(String(fields['long_lu']).replaceAll('\0', '')).toBe('erp.example')
    expect(String(fields['long_tp']).replaceAll('\0', '')).toBe('sapdp42')
  })

  it('reads the operation information of our INITIALIZE', async () => {
    const { fields } = await pysap.parse('SAPRFCEXTEND', initializeRecord(target).operationInfo)
    expect(fields).toMatchObject({
      short_dest_name: 'NWRFC   ',
      ncpic_lu: 'erp.exam',
      ncpic_tp: 'sapdp42 ',
      ctype: 0x49,
      clientInfo: 1,
      comm_idx: 0,
      conn_idx: 0xffff,
    })
  })

  it('walks our logon from tag to tag and finds its length in the tail', async () => {
    const { fields } = await pysap.parse('SAPRFCRFCIDBody', logonRecord().body)
    const steps = fields['transitions'] as readonly { current_rfc_id: number; next_rfc_id: number; value: string }[]
    expect(steps.map((step) => step.current_rfc_id).slice(1)).toEqual(steps.slice(0, -1).map((step) => step.next_rfc_id))
    expect(steps.find((step) => step.next_rfc_id === 0x0111)?.value).toBe('DEVELOPER')
    expect(steps.find((step) => step.next_rfc_id === 0x0102)?.value).toBe('RFCPING')
    expect(fields).toMatchObject({ rfc_packet_size: logon.length, cpic_state: 0x8500 })
  })

  it('builds a route request that we read', async () => {
    const hop = (hostname: string, port: string, password: string): unknown => ({
      class: 'SAPRouterRouteHop',
      fields: { hostname, port, password },
    })
    const payload = await pysap.build('SAPRouter', {
      type: 'NI_ROUTE',
      route_entries: 2,
      route_rest_nodes: 1,
      // Its default is 0; without one it counts.
      route_length: null,
      route_offset: 20,
      route_string: [hop('rtr.example', '3299', 'pw'), hop('10.0.0.7', '3300', '')],
    })
    expect(parseRouteRequest(payload)).toEqual({ hops, passedHops: 1, talkMode: 0 })
  })

  it('renders a SAProuter error that we read', async () => {
    const ours = formatRouterError({
      returnCode: -90,
      details: { counter: '1', text: 'host unknown', errorCount: '7', location: 'SAProuter' },
    })
    const { fields, again } = await pysap.parse('SAPRouter', ours)
    expect(fields['err_text_value']).toMatchObject({ error: 'host unknown', error_count: '7', location: 'SAProuter' })
    expect(parseRouterError(again)).toMatchObject({ returnCode: -90, text: 'host unknown', details: { location: 'SAProuter' } })
  })

  it('builds a connect record that we read', async () => {
    const payload = await pysap.build('SAPRFC', {
      version: 2,
      req_type: 3,
      address: '10.0.0.9',
      service: 'sapgw00'.padEnd(10, '\0'),
      lu: 'myhost'.padEnd(8),
      tp: 'prog'.padEnd(8),
      conversation_id: ' '.repeat(8),
    })
    expect(parseGatewayConnect(payload)).toMatchObject({
      version: 2,
      requestType: 3,
      ipv4: Buffer.from([10, 0, 0, 9]),
      service: 'sapgw00',
      codePage: '1100',
      logicalUnit: 'myhost',
      transactionProgram: 'prog',
      acceptInfo: 0xcb,
    })
  })

  it('builds operation information and parameters that we read', async () => {
    const info = await pysap.build('SAPRFCEXTEND', {
      short_dest_name: 'EXT     ',
      ncpic_lu: 'host    ',
      ncpic_tp: 'sapdp07 ',
      ctype: 0x49,
      conn_idx: 5,
    })
    expect(parseInitializeInfo(info)).toMatchObject({
      destination: 'EXT',
      logicalUnit: 'host',
      transactionProgram: 'sapdp07',
      connectionIndex: 5,
    })
    const options = await pysap.build('SAPRFCDTStruct', {
      root_id: 'A'.repeat(16),
      conn_id: 'B'.repeat(16),
      long_lu: 'erp',
      long_tp: 'sapdp07',
      user: 'me',
    })
    const protocol = Buffer.from('CPIC\0\0\0\0')
    const parameters = Buffer.concat([Buffer.from('NWRFC'.padEnd(32)), Buffer.from([1, 1]), protocol, options.subarray(9)])
    expect(parseInitializeParameters(parameters)).toMatchObject({
      rootContextId: 'A'.repeat(16),
      logicalUnit: 'erp',
      transactionProgram: 'sapdp07',
      osUser: 'me',
    })
  })

  it('renders a logon that we read', async () => {
    const { again } = await pysap.parse('SAPRFCRFCIDBody', logonRecord().body)
    const [step] = requestRecords(logon, conversation)
    const request = step === undefined ? undefined : readRequestData({ ...step.record, body: again })
    if (request === undefined || isRefused(request)) throw new Error('not a request')
    const chain = parseChain(request.data)
    expect(isRefused(chain) ? chain : readLogonIdentity(chain)).toMatchObject({ client: '001', user: 'DEVELOPER', functionName: 'RFCPING' })
  })

  it('renders records and messages that we read as our own', async () => {
    const record = initializeRecord(target)
    expect(parseAppcRecord((await pysap.parse('SAPRFC', formatAppcRecord(record))).again)).toEqual(
      parseAppcRecord(formatAppcRecord(record)),
    )
    const message = (await pysap.parse('SAPMS', formatLogonGroupRequest('PUBLIC'))).again
    expect(parseLogonGroupRequest(message)).toEqual({ group: 'PUBLIC' })
    const built = await pysap.build('SAPMS', { flag: 2, iflag: 8 })
    expect(parseMessageServerMessage(built)).toMatchObject({ flag: 2, interfaceFlag: 8, toName: '-', fromName: '-' })
  })
})
