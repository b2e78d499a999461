import type { Clock, ConnectContext, RfcBindingName, RfcDestination } from '@sallyport/core'
import type { FunctionDescription } from './function-description.ts'
import type { RfcStructure } from './rfc-value.ts'

/** What a binding can do; see protocols.md 15.3. */
export interface RfcCapabilities {
  /** Calls share the memory of the ABAP session, so that sequences and `BAPI_TRANSACTION_COMMIT` work. */
  readonly stateful: boolean
  readonly principalPropagation: boolean
  readonly secureNetwork: boolean
  readonly loadBalancing: boolean
  readonly webSocket: boolean
}

/** Whether a binding can work here. */
export type RfcAvailability = { readonly available: true } | { readonly available: false; readonly reason: string }

/** An engine that executes calls. One for all clients of an adapter; it keeps nothing of a client. */
export interface RfcBinding {
  readonly name: RfcBindingName
  readonly capabilities: RfcCapabilities
  /** Whether what it needs is installed. Never throws for what is merely not there. */
  probe(): Promise<RfcAvailability>
  /**
   * Looks at a destination and makes what opens its connections; opens nothing.
   *
   * @throws ConnectivityError `DESTINATION_INVALID` or `CONFIGURATION_INVALID` for what this binding cannot do.
   */
  prepare(client: RfcClientContext): RfcConnections
}

/** For whom connections are opened: the destination, and how it is reached as whom. `signal` of the context ends with `connect`; do not keep it. */
export interface RfcClientContext {
  readonly destination: RfcDestination
  readonly context: ConnectContext
  readonly clock: Clock
  /** Fires when the client is disposed. */
  readonly closed: AbortSignal
}

/** Opens the connections of one client, and owns what they share. Disposing it comes after the connections are closed. */
export interface RfcConnections extends AsyncDisposable {
  /** Connects and logs on. On failure nothing stays open. @throws ConnectivityError. */
  open(signal: AbortSignal): Promise<RfcConnection>
}

/**
 * A connection that is logged on. Calls come one after the other. After an error that is not an ABAP exception or a conversion the pool closes it
 * (see `keepsConnection`).
 */
export interface RfcConnection {
  /** Whether it has not been closed or lost, as far as this side knows. */
  readonly isAlive: boolean
  /** The names of function and parameters are upper case. Never sends twice. @throws ConnectivityError, made by `rfcError`. */
  call(functionName: string, parameters: RfcStructure, options: RfcConnectionCall): Promise<RfcStructure>
  /** The interface of a function module. @throws ConnectivityError with the group `FUNCTION_NOT_FOUND`. */
  describe(functionName: string, signal: AbortSignal): Promise<FunctionDescription>
  /** Proves that the system answers. */
  ping(signal: AbortSignal): Promise<void>
  /** Clears the memory of the ABAP session, for the next user of the connection. */
  reset(signal: AbortSignal): Promise<void>
  /** Logs off; works more than once, and after a failure. Never throws. */
  close(): Promise<void>
}

/** What a call needs besides its parameters. The signal ends it, the limit of time included; the connection is of no use then. */
export interface RfcConnectionCall {
  readonly signal: AbortSignal
  /** Names of outputs that nobody wants. */
  readonly notRequested: readonly string[]
  /** Names of table parameters, for bindings that cannot find out. */
  readonly tables?: readonly string[]
}
