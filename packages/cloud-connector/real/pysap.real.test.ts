import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseGatewayConnect } from '@sallyport/rfc-wire'
import { installPythonPackage } from '@sallyport/real-backends'
import { type AbapGateway, createAbapGateway } from '@sallyport/conformance/backends'
import { afterEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, startConnectorBench } from '../conformance/connector-bench.ts'
import { type LocalPort, openLocalPort } from './local-port.ts'

const python = await installPythonPackage(
  { name: 'pysap', version: '0.2.1', module: 'pysap.SAPRFC' },
  join(import.meta.dirname, '..', 'node_modules'),
)

interface Attack {
  readonly name: string
  readonly sent: readonly number[]
  readonly data: string
  readonly closed: boolean
}

let gateway: AbapGateway
let bench: ConnectorBench
let local: LocalPort
afterEach(async () => {
  await local[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

describe.skipIf(python === undefined)('pysap, an independent client with bad intentions', () => {
  it('PR-092 PR-101 is refused whatever it tries, and the gateway sees nothing but connections of normal clients', async () => {
    gateway = await createAbapGateway()
    const mapping = {
      virtual: 'erp.demo:sapgw00',
      internal: `rfc://127.0.0.1:${gateway.address.port}`,
      systemNumber: '00',
      backendType: 'abapSys',
    }
    bench = await startConnectorBench({ connector: { mappings: [{ ...mapping, functions: [{ name: 'Z', prefix: true }] }] } })
    local = await openLocalPort(bench, { host: 'erp.demo', port: 3300 })
    const { stdout } = await promisify(execFile)(python ?? '', [join(import.meta.dirname, 'hostile_client.py'), String(local.port)], {
      timeout: 60_000,
    })
    const attacks = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Attack)
    expect(attacks.length).toBeGreaterThan(25)
    expect(attacks.filter(({ closed }) => !closed)).toEqual([])
    const normal = attacks.filter(({ sent }) => sent.length > 1)
    expect(gateway.seen.messages.map(({ payload }) => parseGatewayConnect(payload))).toEqual(
      normal.map(() => expect.objectContaining({ requestType: 3, logicalUnit: 'sallypor' })),
    )
    expect(gateway.accepted).toBe(attacks.length)
    expect(bench.audit.filter(({ type }) => type === 'access-denied')).toHaveLength(attacks.length)
  }, 90_000)
})
