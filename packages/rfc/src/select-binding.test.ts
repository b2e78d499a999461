import { createSecret, type Credentials, type Logger, type RfcBindingName, silentLogger } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createScriptedBinding, scriptedDestination, type ScriptedBinding } from '../conformance/scripted-binding.ts'
import { createRfcAdapter, type RfcBinding, type RfcClient } from './index.ts'

const basic: Credentials = { kind: 'basic', user: 'JANE', password: createSecret('s3cret') }
const behalf: Credentials = { kind: 'principal' }
const soap = createScriptedBinding('soap', {
  capabilities: { stateful: false, principalPropagation: true, secureNetwork: false, loadBalancing: false, webSocket: false },
})
const classic = createScriptedBinding('classic')
const sdk = createScriptedBinding('node-rfc', {
  capabilities: { stateful: true, principalPropagation: false, secureNetwork: true, loadBalancing: true, webSocket: true },
})
const noSdk = createScriptedBinding('node-rfc', {
  capabilities: sdk.capabilities,
  probe: async () => ({ available: false, reason: 'node-rfc cannot be loaded (MODULE_NOT_FOUND)' }),
})

const webSocket = { 'jco.client.wshost': 'ws.virtual', 'jco.client.wsport': '443' }
const carrier = { 'jco.destination.x.soap_destination': 'ERP_SOAP' }
const snc = { 'jco.client.snc_mode': '1', 'jco.client.snc_partnername': 'p:CN=ERP' }
const propagation = { 'jco.destination.auth_type': 'PrincipalPropagation' }

interface Choosing {
  readonly bindings?: readonly RfcBinding[]
  readonly credentials?: Credentials
  readonly stateful?: boolean
  readonly log?: Logger
}

async function choose(
  properties: Readonly<Record<string, string>>,
  { bindings = [soap, sdk, classic], credentials = basic, stateful = false, log = silentLogger }: Choosing = {},
): Promise<RfcClient> {
  return createRfcAdapter({ clock: createManualClock(), bindings, stateful }).connect(scriptedDestination(properties), {
    dial: () => Promise.reject(new Error('nobody dials here')),
    credentials,
    principal: { kind: 'business', token: createSecret('token') },
    signal: new AbortController().signal,
    log,
  })
}

describe('the choice of a binding', () => {
  it.each<[string, Readonly<Record<string, string>>, Choosing, RfcBindingName, readonly RfcBindingName[]]>([
    ['a WebSocket: node-rfc', { ...webSocket, ...carrier }, {}, 'node-rfc', ['soap']],
    ['a principal: soap', { ...propagation, ...carrier }, { credentials: behalf }, 'soap', []],
    ['SNC: node-rfc', { ...snc, ...carrier }, {}, 'node-rfc', ['soap']],
    ['a ticket: node-rfc', { ...carrier, 'jco.client.mysapsso2': 'AjEx' }, {}, 'node-rfc', ['soap']],
    ['a certificate: node-rfc', { ...carrier, 'jco.client.x509cert': 'MIIB' }, { credentials: { kind: 'none' } }, 'node-rfc', ['soap']],
    ['a carrier for SOAP: soap', carrier, {}, 'soap', []],
    ['a carrier for SOAP, but sessions: node-rfc', carrier, { stateful: true }, 'node-rfc', ['soap']],
    ['nothing in particular: node-rfc', {}, {}, 'node-rfc', ['soap']],
    ['without the SDK: classic', {}, { bindings: [soap, noSdk, classic] }, 'classic', ['soap', 'node-rfc']],
    ['classic by name', { ...carrier, 'jco.destination.x.binding': 'classic' }, {}, 'classic', []],
    [
      'a group by classic',
      { 'jco.client.mshost': 'ms', 'jco.client.msserv': '3600' },
      { bindings: [classic] },
      'classic',
      ['soap', 'node-rfc'],
    ],
  ])('PR-113 %s', async (_what, properties, choosing, chosen, skipped) => {
    const lines: unknown[] = []
    const log: Logger = { ...silentLogger, info: (fields, message) => void lines.push({ ...fields, message }) }
    const { info } = await choose(properties, { ...choosing, log })
    expect(info.binding).toBe(chosen)
    expect(info.skipped.map(({ binding }) => binding)).toEqual(skipped)
    for (const { reason } of info.skipped) expect(reason).not.toBe('')
    expect(lines).toEqual([{ destination: 'ERP', binding: chosen, skipped: info.skipped, message: 'RFC binding chosen' }])
  })

  it.each<[string, Readonly<Record<string, string>>, Choosing, string, readonly string[]]>([
    [
      'a principal without a carrier names the property',
      propagation,
      { credentials: behalf },
      'DESTINATION_INVALID',
      ['soap: jco.destination.x.soap_destination is missing', 'classic: it cannot act'],
    ],
    [
      'SNC without the SDK',
      snc,
      { bindings: [soap, noSdk, classic] },
      'CONFIGURATION_INVALID',
      ['soap: it does not speak SNC', 'node-rfc: node-rfc cannot be loaded (MODULE_NOT_FOUND)', 'classic: it does not speak SNC'],
    ],
    [
      'columns without the SDK',
      { 'jco.client.serialization_format': 'columnBased' },
      { bindings: [classic] },
      'DESTINATION_INVALID',
      ['soap: the adapter was made without it', 'classic: it speaks row by row'],
    ],
    [
      'no user without the SDK',
      {},
      { bindings: [classic], credentials: { kind: 'none' } },
      'DESTINATION_INVALID',
      ['classic: it logs on with jco.client.user'],
    ],
    [
      'a name that is not installed',
      { 'jco.destination.x.binding': 'node-rfc' },
      { bindings: [noSdk, classic] },
      'CONFIGURATION_INVALID',
      ['MODULE_NOT_FOUND'],
    ],
    [
      'a name that cannot do it',
      { ...propagation, 'jco.destination.x.binding': 'classic' },
      { credentials: behalf },
      'DESTINATION_INVALID',
      ['classic: it cannot act'],
    ],
  ])('PR-113 gives every reason: %s', async (_what, properties, choosing, code, reasons) => {
    const error: unknown = await choose(properties, choosing).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code })
    for (const reason of reasons) expect((error as Error).message).toContain(reason)
  })

  it('PR-116 refuses a WebSocket without node-rfc before anything is dialled or opened', async () => {
    let prepared = 0
    const counting = (binding: ScriptedBinding): RfcBinding => ({
      ...binding,
      prepare(client) {
        prepared += 1
        return binding.prepare(client)
      },
    })
    const bindings = [soap, noSdk, classic].map((binding) => counting(binding))
    await expect(choose({ ...webSocket, ...carrier }, { bindings })).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringMatching(/"ERP".*node-rfc: node-rfc cannot be loaded.*classic: it does not speak WebSocket RFC/),
    })
    expect(prepared).toBe(0)
  })

  it('refuses credentials that RFC does not have', async () => {
    const header: Credentials = { kind: 'header', name: 'authorization', value: createSecret('Bearer x') }
    await expect(choose({}, { credentials: header })).rejects.toMatchObject({ code: 'DESTINATION_INVALID' })
    await expect(choose({ ...propagation, ...carrier }, { credentials: basic })).rejects.toMatchObject({ code: 'DESTINATION_INVALID' })
  })

  it('refuses a session where every call is one of its own', async () => {
    const client = await choose(carrier)
    await expect(client.withSession(async () => {})).rejects.toMatchObject({
      code: 'DESTINATION_INVALID',
      message: expect.stringContaining('jco.destination.x.binding'),
    })
  })
})
