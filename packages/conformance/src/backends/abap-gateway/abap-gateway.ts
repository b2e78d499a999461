import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Address } from '@sallyport/core'
import type { AbapFunction } from './abap-function.ts'
import { abapDictionary, abapFunctions } from './abap-functions.ts'
import { serveConversation } from './conversation.ts'
import type { Dictionary } from './dictionary.ts'
import { createGatewayLog, type GatewayLog, type GatewaySeen } from './gateway-seen.ts'
import { createMetadataFunctions, metadataDictionary } from './metadata-functions.ts'
import { createNiConnection } from './ni-connection.ts'
import type { GatewayScript } from './scripted-answer.ts'

/** Somebody who may log on. */
export interface AbapUser {
  readonly client: string
  /** Upper case. */
  readonly user: string
  readonly password: string
}

/** How a fixture gateway differs from one that does everything right. */
export interface AbapGatewayOptions {
  /** The default is one: client 001, DEVELOPER, secret. */
  readonly users?: readonly AbapUser[]
  /** Besides the standard ones; replaces those of the same name. */
  readonly functions?: readonly AbapFunction[]
  /** Structures and table types of these functions. */
  readonly dictionary?: Dictionary
  /** Sends everything in pieces of this size. */
  readonly chunkBytes?: number
  /** Sends a ping between the records of a reply, and goes on when it was answered. */
  readonly pingWithinReplies?: boolean
  /** Leaves out the end of a row where it repeats its byte. */
  readonly shortenRows?: boolean
  /** Puts fields that nobody knows between those of a reply. */
  readonly unknownFields?: boolean
  /** Decides what is sent instead of an answer. */
  readonly script?: GatewayScript
}

/** A gateway with an application server behind it, on a loopback port. */
export interface AbapGateway extends AsyncDisposable {
  readonly address: Address
  readonly seen: GatewaySeen
  /** Connections so far. */
  readonly accepted: number
  /** Settles when no connection is open. */
  idle(): Promise<void>
  /** Breaks every connection without a word. */
  breakConnections(): void
  /** Sends bytes on every connection, although nobody asked. */
  sendUnasked(bytes: Buffer): void
}

/**
 * Starts a gateway of an ABAP system for tests, without software of SAP: the server's side of classic RFC. It takes a client through the eleven steps in their order and
 * closes the connection where one is left out. Function modules: `STFC_*`, `RFC_PING`, `RFC_SYSTEM_INFO`, `RFC_READ_TABLE` of `T000`, `RFC_RAISE_ERROR`,
 * `BAPI_TRANSACTION_COMMIT`, `SYSTEM_RESET_RFC_SERVER`, `ARFC_DEST_SHIP`, `Z_COUNT` (counts in its session), `Z_VOLUME`, `Z_TYPES`, and those that tell
 * interfaces: `RFC_GET_FUNCTION_INTERFACE`, `DDIF_FIELDINFO_GET`, `RFC_GET_STRUCTURE_DEFINITION`.
 *
 * @example
 * await using gateway = await createAbapGateway({ users: [{ client: '001', user: 'DEVELOPER', password: 'secret' }] })
 * // connect to gateway.address, then look at gateway.seen.calls
 */
export async function createAbapGateway(options: AbapGatewayOptions = {}): Promise<AbapGateway> {
  const seen = createGatewayLog()
  const sockets = new Set<Socket>()
  const waiting: (() => void)[] = []
  let accepted = 0
  const serve = createConnectionServer(options, seen)
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    // A peer that resets is an event of the test, not an unhandled error of the fixture.
    socket.on('error', () => {})
    socket.once('close', () => {
      sockets.delete(socket)
      if (sockets.size === 0) for (const settle of waiting.splice(0)) settle()
    })
    serve(socket, ++accepted)
  })
  const idle = (): Promise<void> => (sockets.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    seen,
    get accepted() {
      return accepted
    },
    idle,
    breakConnections() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    sendUnasked(bytes) {
      for (const socket of sockets) socket.write(bytes)
    },
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await idle()
    },
  }
}

/** Serves one connection that somebody else has accepted, as {@link createAbapGateway} does its own. */
export function serveAbapGateway(stream: Duplex, options: AbapGatewayOptions = {}): GatewaySeen {
  // A peer that resets is an event of the test, not an unhandled error of the fixture.
  stream.on('error', () => {})
  const seen = createGatewayLog()
  createConnectionServer(options, seen)(stream, 1)
  return seen
}

function createConnectionServer(options: AbapGatewayOptions, seen: GatewayLog): (socket: Duplex, connection: number) => void {
  const dictionary = { ...metadataDictionary, ...abapDictionary, ...options.dictionary }
  const functions = new Map([...abapFunctions, ...(options.functions ?? [])].map((each) => [each.name, each]))
  for (const each of createMetadataFunctions(functions, dictionary)) if (!functions.has(each.name)) functions.set(each.name, each)
  const users = options.users ?? [{ client: '001', user: 'DEVELOPER', password: 'secret' }]
  return (socket, connection) => {
    const ni = createNiConnection(socket, { chunkBytes: options.chunkBytes })
    serveConversation({ ni, socket, connection, users, functions, dictionary, options, seen })
      .then(() => ni.end())
      .catch((error: unknown) => {
        if (!socket.destroyed) seen.violations.push(String(error))
        socket.destroy()
      })
  }
}
