import { randomInt } from 'node:crypto'
import type { ConnectContext, RfcDestination } from '@sallyport/core'
import { type Bridge, openLoopbackBridge } from '@sallyport/stream'
import { serverAddress, type ServiceNumbers } from '../server-address.ts'

/** A way for the SDK, which dials by itself, to where only a dial leads. */
export interface BridgedWay {
  readonly bridge: Bridge
  readonly parameters: Readonly<Record<string, string>>
}

/** A port of the SDK's own rule: system number 07 is dialled at 3307. */
const firstPort = 3300
const systemNumbers = 100

/**
 * Dials the system and puts a loopback port in front of it, at which the SDK finds it as a system number of this machine (protocols.md 10.4, B). The port takes
 * one connection: when the SDK reconnects by itself it finds nobody.
 *
 * @throws ConnectivityError of the dial, and `SERVICE_UNAVAILABLE` when all hundred ports are taken.
 */
export async function openBridgedWay(
  destination: RfcDestination,
  { dial, principal }: ConnectContext,
  services: ServiceNumbers,
  signal: AbortSignal,
): Promise<BridgedWay> {
  const attempt = `lead node-rfc to destination "${destination.name}"`
  const { host, port } = serverAddress(destination, services)
  const stream = await dial(
    { host, port },
    { signal, locationId: destination.locationId, ...(principal === undefined ? {} : { principal }) },
  )
  // Whoever waits for the library hears of it by the bridge.
  stream.on('error', () => {})
  try {
    const start = randomInt(systemNumbers)
    const ports = Array.from({ length: systemNumbers }, (_, at) => firstPort + ((start + at) % systemNumbers))
    const bridge = await openLoopbackBridge({ open: async () => stream, signal, attempt }, ports)
    // When the library never comes nobody asks for the stream.
    bridge.taken.catch(() => stream.destroy())
    const sysnr = String(bridge.address.port - firstPort).padStart(2, '0')
    return { bridge, parameters: { ashost: '127.0.0.1', sysnr } }
  } catch (error) {
    stream.destroy()
    throw error
  }
}
