import type { PortRange } from './port-range.ts'

/** A host and a port of the RFC world, where ports have names. */
export interface RfcAddress {
  readonly host: string
  readonly port: number
  /** As written. */
  readonly portText: string
  /** What the port says by itself; `undefined` for numbers outside the usual ranges. */
  readonly kind: 'gateway' | 'message-server' | undefined
  /** Two digits, where the port tells them. */
  readonly systemNumber: string | undefined
}

/** Ports of gateways: 33NN, with SNC 48NN. */
const gatewayBase = { RFC: 3300, RFCS: 4800 } as const
const messageServerBase = 3600

/**
 * Reads `host:sapgwNN` (`host:sapgwNNs` with SNC), `host:sapmsSID` or `host:<port>`: cloud-connector.md 2.4. Ports of `sapmsSID` come from `services`: no number
 * belongs to them by themselves.
 */
export function parseRfcAddress(
  text: string,
  protocol: 'RFC' | 'RFCS',
  services: Readonly<Record<string, number>>,
): RfcAddress | { readonly problem: string } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/?#@[\]]{1,255})):([A-Za-z0-9]{1,16})$/.exec(text)
  const portText = match?.[3] ?? ''
  const host = match?.[1] ?? match?.[2] ?? ''
  const gateway = /^sapgw(\d\d)(s?)$/.exec(portText)
  if (gateway !== null) {
    const systemNumber = gateway[1] ?? ''
    if ((gateway[2] === 's') !== (protocol === 'RFCS'))
      return {
        problem: `names ${portText}, but the gateway of ${protocol.toLowerCase()} is sapgw${systemNumber}${protocol === 'RFCS' ? 's' : ''}`,
      }
    return { host, port: gatewayBase[protocol] + Number(systemNumber), portText, kind: 'gateway', systemNumber }
  }
  if (/^sapms[A-Z][A-Z0-9]{2}$/.test(portText)) {
    const port = services[portText]
    if (port === undefined)
      return { problem: `names ${portText}, whose port is not known; write it below services, such as ${portText}: 3600` }
    return { host, port, portText, kind: 'message-server', systemNumber: undefined }
  }
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0
  if (port < 1 || port > 65_535) return { problem: 'is not a host with sapgwNN, sapmsSID or a port, such as erp.internal:sapgw00' }
  const number = port - gatewayBase[protocol]
  if (number >= 0 && number < 100) return { host, port, portText, kind: 'gateway', systemNumber: String(number).padStart(2, '0') }
  const isMessageServer = port >= messageServerBase && port < messageServerBase + 100
  return { host, port, portText, kind: isMessageServer ? 'message-server' : undefined, systemNumber: undefined }
}

/** The address in the form that mappings of every protocol have. */
export function rangeOf({ host, port, portText }: RfcAddress): PortRange {
  return { host, low: port, high: port, portText }
}
