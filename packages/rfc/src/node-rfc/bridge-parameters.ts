import { randomInt } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { type ConnectContext, type ConnectivityError, formatAddress, type RfcDestination } from '@sallyport/core'
import { openLoopbackBridge } from '@sallyport/stream'
import { openConnectPort } from './connect-port.ts'
import { serverAddress, type ServiceNumbers } from '../server-address.ts'

/** What stands on this machine between the SDK and a stream. */
export interface LocalWay extends AsyncDisposable {
  /** Why the far side failed: the SDK only sees its connection end. */
  readonly failure: ConnectivityError | undefined
}

/** A way for the SDK, which dials by itself, to where only a dial leads. */
export interface BridgedWay {
  readonly bridge: LocalWay
  readonly parameters: Readonly<Record<string, string>>
}

/** A port of the SDK's own rule: system number 07 is dialled at 3307. */
const firstPort = 3300
const systemNumbers = 100

/**
 * Dials the system and puts something of this machine in front of it that the SDK can dial. It takes one connection: when the SDK reconnects by itself it finds nobody.
 *
 * @throws ConnectivityError of the dial, and `SERVICE_UNAVAILABLE` when no port is free.
 */
export async function openBridgedWay(
  destination: RfcDestination,
  { dial, principal }: ConnectContext,
  services: ServiceNumbers,
  signal: AbortSignal,
): Promise<BridgedWay> {
  const { host, port } = serverAddress(destination, services)
  const stream = await dial(
    { host, port },
    { signal, locationId: destination.locationId, ...(principal === undefined ? {} : { principal }) },
  )
  // Whoever waits for the library hears of it by the bridge.
  stream.on('error', () => {})
  try {
    return destination.server.kind === 'websocket'
      ? await bridgeWebSocket(stream, { host, port })
      : await bridgeGateway(stream, `lead node-rfc to destination "${destination.name}"`, signal)
  } catch (error) {
    stream.destroy()
    throw error
  }
}

/** A loopback port at which the SDK finds the gateway as a system number of this machine (protocols.md 10.4, B). */
async function bridgeGateway(stream: Duplex, attempt: string, signal: AbortSignal): Promise<BridgedWay> {
  const start = randomInt(systemNumbers)
  const ports = Array.from({ length: systemNumbers }, (_, at) => firstPort + ((start + at) % systemNumbers))
  const bridge = await openLoopbackBridge({ open: async () => stream, signal, attempt }, ports)
  // When the library never comes nobody asks for the stream.
  bridge.taken.catch(() => stream.destroy())
  const sysnr = String(bridge.address.port - firstPort).padStart(2, '0')
  return { bridge, parameters: { ashost: '127.0.0.1', sysnr } }
}

/** A local HTTP proxy: the SDK keeps the name whose certificate it verifies (10.4, D). */
async function bridgeWebSocket(stream: Duplex, address: { readonly host: string; readonly port: number }): Promise<BridgedWay> {
  const proxy = await openConnectPort(formatAddress(address), stream)
  return {
    bridge: proxy,
    parameters: {
      wshost: address.host,
      wsport: String(address.port),
      use_tls: '1',
      proxy_host: '127.0.0.1',
      proxy_port: String(proxy.port),
      proxy_user: proxy.user,
      proxy_passwd: proxy.password,
    },
  }
}
