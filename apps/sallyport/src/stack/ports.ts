import { ConnectivityError } from '@sallyport/core'
import { findPortOwner, isPortTaken } from './port-owner.ts'

/** Ports of the original where it has them, and our own beside. */
export const basePorts = {
  connectivityApi: 8041,
  tunnel: 8042,
  connectorAdmin: 8443,
  destinationService: 8444,
  tokenService: 8445,
  proxyHttp: 20_003,
  proxySocks5: 20_004,
} as const
export type PortName = keyof typeof basePorts
export type Ports = Readonly<Record<PortName, number>>

/** Every port moved by the same amount. @throws ConnectivityError `CONFIGURATION_INVALID` when one leaves 1..65535. */
export function portsWithOffset(offset: number): Ports {
  const moved = Object.fromEntries(Object.entries(basePorts).map(([name, port]) => [name, port + offset])) as Record<PortName, number>
  if (!Number.isInteger(offset) || Object.values(moved).some((port) => port < 1 || port > 65_535)) {
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      `--port-offset ${offset} moves a port out of 1..65535; ${65_535 - basePorts.proxySocks5} is the largest`,
    )
  }
  return moved
}

/** We never move to another port silently: a taken one is named together with who holds it. @throws ConnectivityError `PORT_IN_USE`. */
export async function requireFreePorts(host: string, ports: readonly number[]): Promise<void> {
  const taken: string[] = []
  for (const port of ports) {
    if (await isPortTaken(host, port)) taken.push(`${port} by ${findPortOwner(port) ?? 'another process'}`)
  }
  if (taken.length === 0) return
  throw new ConnectivityError('PORT_IN_USE', `taken: port ${taken.join(', port ')}`, {
    details: { next: 'stop it, or move all ports: --port-offset 100' },
  })
}
