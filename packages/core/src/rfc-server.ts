import type { JcoProperties } from './jco-properties.ts'

/** Where an RFC connection begins. Exactly one of the three is configured. */
export type RfcServer =
  | {
      readonly kind: 'application-server'
      readonly host: string
      /** Two digits: 42 is the gateway `sapgw42`, port 3342. */
      readonly systemNumber: string
    }
  | {
      readonly kind: 'message-server'
      readonly host: string
      /** Number or name of the message server's port; with a system ID it is `sapms<SID>`. */
      readonly service: string
      readonly systemId: string | undefined
      readonly group: string
    }
  | {
      readonly kind: 'websocket'
      readonly host: string
      readonly port: number
      readonly pingPeriodSeconds: number
      readonly pongTimeoutSeconds: number
    }

const host = /^[^\s:/?#@[\]]{1,255}$|^[0-9A-Fa-f:.]{2,45}$/
const hostForm = 'a host name or address'
const service = /^[A-Za-z0-9_-]{1,40}$/

/** Reads `jco.client.ashost`, `mshost` or `wshost` with what belongs to it. */
export function parseRfcServer(jco: JcoProperties, invalid: (what: string) => Error): RfcServer {
  const applicationServer = jco.text('jco.client.ashost', host, hostForm)
  const messageServer = jco.text('jco.client.mshost', host, hostForm)
  const webSocket = jco.text('jco.client.wshost', host, hostForm)
  if ([applicationServer, messageServer, webSocket].filter((name) => name !== undefined).length !== 1) {
    throw invalid('exactly one of jco.client.ashost, jco.client.mshost and jco.client.wshost is needed')
  }
  if (applicationServer !== undefined) {
    const systemNumber = jco.text('jco.client.sysnr', /^\d\d$/, 'two digits')
    if (systemNumber === undefined) throw invalid('jco.client.sysnr is missing; jco.client.ashost needs it')
    return { kind: 'application-server', host: applicationServer, systemNumber }
  }
  if (messageServer !== undefined) return parseMessageServer(messageServer, jco, invalid)
  if (!jco.has('jco.client.wsport')) throw invalid('jco.client.wsport is missing; jco.client.wshost needs it')
  return {
    kind: 'websocket',
    host: webSocket ?? '',
    port: jco.whole('jco.client.wsport', 443, 65_535, 1),
    pingPeriodSeconds: period(jco, 'jco.destination.ws_ping_period', 300, 86_400, invalid),
    pongTimeoutSeconds: period(jco, 'jco.destination.ws_pong_timeout', 60, 3600, invalid),
  }
}

function parseMessageServer(name: string, jco: JcoProperties, invalid: (what: string) => Error): RfcServer {
  const systemId = jco.text('jco.client.r3name', /^[A-Za-z][A-Za-z0-9]{2}$/, 'a system ID of three characters')?.toUpperCase()
  const given = jco.text('jco.client.msserv', service, 'a port or the name of a service')
  if ((systemId === undefined) === (given === undefined)) {
    throw invalid('jco.client.mshost needs jco.client.r3name or jco.client.msserv, and not both')
  }
  if (given !== undefined && /^\d+$/.test(given) && (Number(given) < 1 || Number(given) > 65_535)) {
    throw invalid('jco.client.msserv is not a port from 1 to 65535')
  }
  return {
    kind: 'message-server',
    host: name,
    service: given ?? `sapms${systemId}`,
    systemId,
    group: jco.text('jco.client.group', /^[^\p{Cc}]{1,20}$/u, 'the name of a logon group') ?? 'PUBLIC',
  }
}

/** Seconds; 0 switches off. */
function period(jco: JcoProperties, name: string, missing: number, max: number, invalid: (what: string) => Error): number {
  const seconds = jco.whole(name, missing, max)
  if (seconds !== 0 && seconds < 10) throw invalid(`${name} is neither 0 nor a number of seconds from 10 to ${max}`)
  return seconds
}
