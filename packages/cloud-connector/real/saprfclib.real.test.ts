import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installPythonPackage } from '@sallyport/real-backends'
import { type AbapGateway, createAbapGateway } from '@sallyport/conformance/backends'
import { afterEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, startConnectorBench } from '../conformance/connector-bench.ts'
import { type LocalPort, openLocalPort } from './local-port.ts'

const python = await installPythonPackage(
  { name: 'saprfclib', version: '0.1.8', module: 'saprfclib', python: '3.12' },
  join(import.meta.dirname, '..', 'node_modules'),
)

let gateway: AbapGateway
let bench: ConnectorBench
let local: LocalPort
afterEach(async () => {
  for (const each of [local, bench, gateway]) await each[Symbol.asyncDispose]()
})

async function run(fields: Readonly<Record<string, unknown>>, calls: readonly (readonly [string, object])[]): Promise<readonly unknown[]> {
  gateway = await createAbapGateway()
  const mapping = {
    virtual: 'erp.demo:sapgw00',
    internal: `rfc://127.0.0.1:${gateway.address.port}`,
    systemNumber: '42',
    backendType: 'abapSys',
  }
  bench = await startConnectorBench({ connector: { mappings: [{ ...mapping, ...fields }] } })
  local = await openLocalPort(bench, { host: 'erp.demo', port: 3300 })
  const logon = { ashost: '127.0.0.1', sysnr: '00', port: local.port, client: '001', user: 'DEVELOPER', passwd: 'secret' }
  const { stdout } = await promisify(execFile)(
    python ?? '',
    [join(import.meta.dirname, 'honest_client.py'), JSON.stringify({ logon, calls })],
    {
      timeout: 30_000,
    },
  )
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
}

/** A client that knows the protocol from elsewhere: what the relay takes is not only what we send ourselves. */
describe.skipIf(python === undefined)('saprfclib through the relay', () => {
  it('is let through to what the mapping admits, metadata included', async () => {
    const answers = await run({ functions: [{ name: 'STFC_', prefix: true }] }, [
      ['STFC_CONNECTION', { REQUTEXT: 'grüße' }],
      ['STFC_CHANGING', { START_VALUE: 3, COUNTER: 4 }],
      ['STFC_CONNECTION', { REQUTEXT: 'again' }],
    ])
    expect(answers).toMatchObject([
      { result: { ECHOTEXT: 'grüße' } },
      { name: 'STFC_CHANGING', result: { COUNTER: 5, RESULT: 7 } },
      { result: { ECHOTEXT: 'again' } },
    ])
    expect(gateway.seen.violations).toEqual([])
    expect(gateway.seen.initializations.at(-1)).toMatchObject({ transactionProgram: 'sapdp42' })
    expect(bench.audit).toEqual([])
  }, 60_000)

  it('fails where the mapping denies, and the system never hears of it', async () => {
    const answers = await run({ functions: [{ name: 'STFC_CONNECTION' }] }, [
      ['STFC_CONNECTION', { REQUTEXT: 'x' }],
      ['Z_COUNT', {}],
    ])
    // It looks for a number or a key where the relay has nothing but a text.
    expect(answers).toMatchObject([{ name: 'STFC_CONNECTION' }, { error: 'CommunicationError' }])
    expect(bench.audit.map(({ message }) => message)).toEqual([expect.stringContaining('Access denied to function Z_COUNT')])
    expect(gateway.seen.calls.map(({ functionName }) => functionName)).not.toContain('Z_COUNT')
  }, 60_000)

  it('PR-097 is refused at the logon as a blocked user', async () => {
    const answers = await run({ blockedUsers: [{ client: '001', user: 'DEVELOPER' }] }, [['STFC_CONNECTION', { REQUTEXT: 'x' }]])
    expect(answers).toMatchObject([{ message: expect.stringContaining('Access denied for client 001 on erp.demo:sapgw00.') }])
    expect(gateway.seen.logons).toEqual([])
  }, 60_000)
})
