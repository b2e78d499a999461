import { describeRfc, type FarEnd } from '@sallyport/conformance'
import type { RfcFarSide } from '@sallyport/conformance/cases'
import { type Address, ConnectivityError, type Dial } from '@sallyport/core'
import { createSocketNetwork } from '@sallyport/test-fixtures'
import type { TcpAnswer } from '@sallyport/tunnel'
import { startConnectorBench } from './connector-bench.ts'

const host = 'erp.conformance'

/** Gateways on loopback, each behind a mapping of its own. */
async function openBehindConnector(): Promise<RfcFarSide> {
  const network = createSocketNetwork()
  const mappings: object[] = []
  const bench = await startConnectorBench({ connector: { mappings } })
  const expose = async ({ port }: Address): Promise<Address> => {
    const virtual = { host, port: 3300 + mappings.length }
    mappings.push({
      virtual: `${host}:${virtual.port}`,
      internal: `rfc://localhost:${port}`,
      systemNumber: '42',
      backendType: 'abapSys',
      functions: ['STFC_', 'Z_'].map((name) => ({ name, prefix: true })),
    })
    await bench.configure({ mappings })
    return virtual
  }
  const dial: Dial = async (address) => {
    const { answer, stream } = await bench.tcp(address)
    const decided = answer as TcpAnswer
    if (decided.kind === 'connected') return stream
    stream.destroy()
    throw new ConnectivityError(decided.code, decided.message)
  }
  return {
    dial,
    notExposed: { host: 'hidden.conformance', port: 3399 },
    serve: async (handler: (far: FarEnd) => void) => expose(await network.serve(handler)),
    unused: async () => expose(await network.unused()),
    idle: network.idle,
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]()
      await network[Symbol.asyncDispose]()
    },
  }
}

describeRfc('the connector', { open: openBehindConnector, features: { relay: true, refusals: true } })
