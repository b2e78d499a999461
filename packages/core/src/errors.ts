/** What a caller, an administrator and the supervisor may conclude from an error code. */
export interface ErrorTraits {
  /** HTTP status that a surface answers with when nothing more specific is documented. */
  readonly status: number
  /** Whether the same attempt may succeed later without anybody changing anything. */
  readonly retryable: boolean
  /** Which part of the chain found the fault. */
  readonly origin: 'caller' | 'token-service' | 'destination-service' | 'proxy' | 'connector' | 'backend' | 'local'
}

/**
 * Every error code there is. Codes name the situation, not the layer; `docs/errors.md` has a paragraph for each
 * (held by a test), and callers branch on the code, never on the text.
 */
export const errorTable = {
  ABORTED: { status: 499, retryable: true, origin: 'caller' },
  ACCESS_DENIED: { status: 403, retryable: false, origin: 'connector' },
  BACKEND_FAILED: { status: 502, retryable: false, origin: 'backend' },
  BACKEND_TIMEOUT: { status: 504, retryable: true, origin: 'backend' },
  BACKEND_UNREACHABLE: { status: 502, retryable: true, origin: 'backend' },
  BACKEND_UNTRUSTED: { status: 502, retryable: false, origin: 'backend' },
  BINDING_INVALID: { status: 500, retryable: false, origin: 'local' },
  CONFIGURATION_INVALID: { status: 500, retryable: false, origin: 'local' },
  CONNECTION_REBOUND: { status: 400, retryable: false, origin: 'proxy' },
  CONNECTOR_NOT_CONNECTED: { status: 503, retryable: true, origin: 'proxy' },
  DEADLINE_EXCEEDED: { status: 504, retryable: true, origin: 'local' },
  DESTINATION_INVALID: { status: 400, retryable: false, origin: 'caller' },
  DESTINATION_NOT_FOUND: { status: 404, retryable: false, origin: 'destination-service' },
  ENCRYPTION_KEY_UNAVAILABLE: { status: 500, retryable: false, origin: 'local' },
  LOGON_REFUSED: { status: 401, retryable: false, origin: 'backend' },
  MESSAGE_INVALID: { status: 400, retryable: false, origin: 'caller' },
  NOT_FOUND: { status: 404, retryable: false, origin: 'caller' },
  OPERATION_FORBIDDEN: { status: 403, retryable: false, origin: 'backend' },
  OPERATION_REFUSED: { status: 422, retryable: false, origin: 'backend' },
  PAIRING_REFUSED: { status: 403, retryable: false, origin: 'proxy' },
  PEER_UNREACHABLE: { status: 502, retryable: true, origin: 'local' },
  PEER_UNTRUSTED: { status: 502, retryable: false, origin: 'local' },
  POOL_EXHAUSTED: { status: 503, retryable: true, origin: 'local' },
  PORT_IN_USE: { status: 500, retryable: false, origin: 'local' },
  PRINCIPAL_NOT_ISSUED: { status: 500, retryable: false, origin: 'connector' },
  PRINCIPAL_NOT_TRUSTED: { status: 403, retryable: false, origin: 'connector' },
  PROTOCOL_VIOLATION: { status: 502, retryable: false, origin: 'local' },
  PROXY_AUTHORIZATION_REQUIRED: { status: 407, retryable: false, origin: 'proxy' },
  SERVICE_UNAVAILABLE: { status: 503, retryable: true, origin: 'local' },
  STORE_FAILED: { status: 500, retryable: true, origin: 'local' },
  TOKEN_INVALID: { status: 401, retryable: false, origin: 'caller' },
  TOKEN_NOT_ISSUED: { status: 401, retryable: false, origin: 'token-service' },
  TUNNEL_LOST: { status: 502, retryable: true, origin: 'proxy' },
  TUNNEL_NOT_OPENED: { status: 504, retryable: true, origin: 'proxy' },
  VERSION_UNSUPPORTED: { status: 505, retryable: false, origin: 'local' },
} as const

/** One of the documented situations. */
export type ErrorCode = keyof typeof errorTable

const mark = Symbol.for('@sallyport/core/ConnectivityError')

/**
 * The only error class of the code base. `message` is for people: what was attempted, on what, what to check. It never
 * holds a secret, token or personal attribute. `details` holds the same facts for programs.
 */
export class ConnectivityError extends Error {
  override readonly name = 'ConnectivityError'
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, string | number | boolean | undefined>>

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly details?: Readonly<Record<string, string | number | boolean | undefined>> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
    Object.defineProperty(this, mark, { value: true })
  }

  get traits(): ErrorTraits {
    return errorTable[this.code]
  }

  /** Recognises errors of any copy of this package, where `instanceof` would not; with `code` only that situation. */
  static is(error: unknown, code?: ErrorCode): error is ConnectivityError {
    if (typeof error !== 'object' || error === null || !(mark in error)) return false
    return code === undefined || (error as unknown as ConnectivityError).code === code
  }
}
