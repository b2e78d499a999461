import { once } from 'node:events'
import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionVerdict, DestinationRecord } from '@sallyport/admin-api'
import type { AddressBook } from '../authentication/address-book.ts'
import type { KeystoreReader } from '../authentication/keystore-reader.ts'
import type { OutgoingTls } from '../authentication/outgoing-request.ts'
import type { createTlsConnector } from '../authentication/outgoing-tls.ts'
import { tlsSettings } from '../authentication/tls-settings.ts'
import { explainFailure } from './check-errors.ts'
import type { CheckedDestination } from './connection-checker.ts'
import { createHopList } from './hop-list.ts'
import { needsGet, probe, probeHeaders, type Probe } from './http-probe.ts'

/** What an Internet check works with. */
interface InternetTools {
  readonly addresses: AddressBook
  readonly tls: ReturnType<typeof createTlsConnector>
  readonly readKeystore: KeystoreReader
}

/** Reaches a target on the Internet: its address, a connection, TLS with the destination's trust settings, and an answer of any status below 500. */
export async function checkOnInternet(
  { configuration, references }: CheckedDestination,
  url: URL,
  { addresses, tls, readKeystore }: InternetTools,
  deadline: AbortSignal,
): Promise<ConnectionVerdict> {
  const hops = createHopList()
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  const explain = (error: unknown): string => explainFailure(error, { target: `${url.hostname}:${port}`, deadline })
  try {
    const lookup = await hops.step('address', () => addresses.lookUp(host, { checked: true }, deadline), {
      describe: () => `${host} has an address that may be called`,
      explain,
    })
    const target: Target = { host, port, lookup, deadline }
    const first = await hops.step('connect', () => openTcp(target), { describe: () => `connected to port ${port}`, explain })
    const secure = async (socket: Socket, wanted: OutgoingTls): Promise<Socket> => openTls(socket, host, tls(wanted), deadline)
    let wanted: OutgoingTls | undefined
    const socket =
      url.protocol === 'http:'
        ? first
        : await hops.step(
            'tls',
            async () => {
              wanted = await tlsSettings({ configuration, references, readKeystore }, undefined).catch((error: unknown) => {
                first.destroy()
                throw error
              })
              return secure(first, wanted)
            },
            {
              describe: () => (wanted?.trustAll === true ? 'any certificate is accepted (TrustAll)' : 'the certificate is trusted'),
              explain,
            },
          )
    const again = async (): Promise<Socket> => {
      const opened = await openTcp(target)
      return wanted === undefined ? opened : secure(opened, wanted)
    }
    const answer = await hops.step('backend', () => ask(configuration, url, socket, again, deadline), {
      describe: ({ status }) => `answered with status ${status}`,
      explain,
    })
    const successful = answer.status < 500
    const message = successful
      ? `The target answered with status ${answer.status}.`
      : `The target answered with an error: status ${answer.status}.`
    return hops.verdict({ successful, message, status: answer.status })
  } catch (error) {
    return hops.verdict({ successful: false, message: `No connection to the target is possible: ${explain(error)}.` })
  }
}

interface Target {
  readonly host: string
  readonly port: number
  readonly lookup: LookupFunction
  readonly deadline: AbortSignal
}

/** `HEAD`, and `GET` on a new connection where the target cannot say enough to that. */
async function ask(
  configuration: DestinationRecord,
  url: URL,
  socket: Socket,
  again: () => Promise<Socket>,
  deadline: AbortSignal,
): Promise<Probe> {
  const sent = { path: `${url.pathname}${url.search}`, headers: probeHeaders(configuration, url.host) }
  const head = await probe(socket, { method: 'HEAD', ...sent }, deadline).catch((error: unknown) => {
    if (deadline.aborted) throw error
    return undefined
  })
  return head !== undefined && !needsGet(head.status) ? head : probe(await again(), { method: 'GET', ...sent }, deadline)
}

async function openTcp({ host, port, lookup, deadline }: Target): Promise<Socket> {
  const socket = connectTcp({ host, port, lookup, autoSelectFamily: true })
  return untilOpen(socket, 'connect', deadline)
}

async function openTls(
  socket: Socket,
  host: string,
  settings: ReturnType<ReturnType<typeof createTlsConnector>>,
  deadline: AbortSignal,
): Promise<Socket> {
  // Server names are names; an address is compared with the certificate all the same.
  const secured = connectTls({ socket, host, ...(isAddress(host) ? {} : { servername: host }), ...settings })
  return untilOpen(secured, 'secureConnect', deadline)
}

async function untilOpen<Opened extends Socket>(socket: Opened, event: string, deadline: AbortSignal): Promise<Opened> {
  try {
    await once(socket, event, { signal: deadline })
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}

function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(':')
}
