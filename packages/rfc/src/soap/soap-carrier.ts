import type { ConnectContext, Principal } from '@sallyport/core'

/** An HTTP client of one destination: what `createHttpAdapter` of `@sallyport/http` connects is one. */
export interface SoapCarrier extends AsyncDisposable {
  /** As `fetch`: resolves with the answer whatever its status. */
  request(
    path: string,
    options: {
      readonly method: string
      readonly headers: Readonly<Record<string, string>>
      readonly body?: string
      readonly signal: AbortSignal
      /** On whose behalf, instead of the principal of the context. */
      readonly principal?: Principal
    },
  ): Promise<Response>
}

/**
 * Connects to the HTTP destination of a name, as the context says: with user and password, or on behalf of its principal. Where the context has no
 * credentials, with those of the HTTP destination.
 */
export type ConnectSoapCarrier = (destinationName: string, context: ConnectContext) => Promise<SoapCarrier>
