import { once } from 'node:events'
import { connect } from 'node:net'
import {
  type Address,
  type Clock,
  ConnectivityError,
  credentialsOf,
  type Dial,
  type Logger,
  parseDestination,
  type RfcDestination,
  silentLogger,
  systemClock,
} from '@sallyport/core'
import { type ClassicBindingOptions, createClassicBinding, createRfcAdapter, type RfcClient } from '../src/index.ts'

/** A client of the binding `classic`, and what it has dialled. */
export interface ClassicClient {
  readonly client: RfcClient
  /** `host:port`, in order. */
  readonly dialled: readonly string[]
}

/** What differs from a client that logs on as DEVELOPER at `erp.example`, system 42, over a connector. */
export interface ClassicClientOptions extends ClassicBindingOptions {
  readonly properties?: Readonly<Record<string, string>>
  /** Instead of one that leads everything to `target`. */
  readonly dial?: Dial
  readonly clock?: Clock
  readonly log?: Logger
  readonly connectTimeoutMs?: number
}

/** Properties of the destination; empty ones are left out. */
export function classicDestination(properties: Readonly<Record<string, string>> = {}): RfcDestination {
  const all = {
    Name: 'ERP',
    Type: 'RFC',
    'jco.destination.proxy_type': 'OnPremise',
    'jco.destination.x.binding': 'classic',
    'jco.client.ashost': 'erp.example',
    'jco.client.sysnr': '42',
    'jco.client.client': '001',
    'jco.client.user': 'developer',
    'jco.client.passwd': 'secret',
    ...properties,
  }
  const destination = parseDestination(Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')))
  if (destination.type !== 'RFC') throw new Error('not of type RFC')
  return destination
}

/** Connects the adapter; the test disposes the client. `target` is where every dialled address leads, or what decides that. */
export async function createClassicClient(
  target: Address | ((address: Address) => Address),
  options: ClassicClientOptions = {},
): Promise<ClassicClient> {
  const { properties, clock = systemClock, log = silentLogger, connectTimeoutMs = 10_000, ...binding } = options
  const destination = classicDestination(properties)
  const dialled: string[] = []
  const inner = options.dial ?? loopbackDial(target)
  const dial: Dial = (address, dialOptions) => {
    dialled.push(`${address.host}:${address.port}`)
    return inner(address, dialOptions)
  }
  const adapter = createRfcAdapter({ clock, connectTimeoutMs, bindings: [createClassicBinding(binding)] })
  const client = await adapter.connect(destination, {
    dial,
    credentials: credentialsOf(destination.properties),
    signal: new AbortController().signal,
    log,
  })
  return { client, dialled }
}

/** Leads addresses that exist for the far side alone to peers on loopback. */
export function loopbackDial(target: Address | ((address: Address) => Address)): Dial {
  return async (address, { signal }) => {
    const to = typeof target === 'function' ? target(address) : target
    const socket = connect({ ...to, allowHalfOpen: true, noDelay: true })
    await once(socket, 'connect', { signal })
    return socket
  }
}

/** The error of ours with which work ends; anything else is the error of the test. */
export async function failureOf(work: Promise<unknown>): Promise<ConnectivityError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!ConnectivityError.is(error)) throw new Error(`no failure of ours: ${String(error)}`)
  return error
}
