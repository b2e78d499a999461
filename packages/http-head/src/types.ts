/** Bounds of a head. Whatever exceeds one is refused before it is stored. */
export interface HeadLimits {
  /** Request line, status line or one header line, without the line end. */
  readonly maxLineBytes: number
  readonly maxHeaderCount: number
  /** The whole head with every line end. */
  readonly maxHeadBytes: number
}

/**
 * The header lines of a head, in the order and spelling of the wire, as three parallel lists. A name that occurs twice stands twice.
 * Strings are Latin-1: one character is one byte.
 */
export interface HeadFields {
  /** Lower case. */
  readonly names: readonly string[]
  /** Without surrounding blanks and tabs. */
  readonly values: readonly string[]
  /** `Name: value` exactly as received, without the line end. */
  readonly lines: readonly string[]
}

/** Where the body ends, RFC 9112 §6.3. */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  /** Responses only. */
  | { readonly kind: 'until-close' }

/** One request up to the empty line. */
export interface RequestHead extends HeadFields {
  readonly method: string
  /** Exactly as received. */
  readonly target: string
  /** `HTTP/1.<minor>` */
  readonly minorVersion: 0 | 1
  readonly framing: BodyFraming
  /** Whether the sender wants to go on with this connection (RFC 9112 §9.3), from version and `Connection`; a proxy also honours `Proxy-Connection`. */
  readonly keepAlive: boolean
  /** Lower-case protocols of `Upgrade`, when `Connection` names it; else `undefined`. */
  readonly upgrade: string | undefined
  /** `Expect: 100-continue` */
  readonly expectsContinue: boolean
  /** Lower-case options of all `Connection` headers. */
  readonly connectionOptions: readonly string[]
  /** Bytes of the head, the empty line included. */
  readonly bytes: number
}

/** One response up to the empty line, interim ones included. */
export interface ResponseHead extends HeadFields {
  readonly minorVersion: 0 | 1
  readonly status: number
  readonly reason: string
  readonly framing: BodyFraming
  readonly keepAlive: boolean
  readonly connectionOptions: readonly string[]
  readonly bytes: number
}

/** Why a head is not accepted, with the status a server answers it with. */
export interface HeadRefusal {
  readonly status: 400 | 414 | 431 | 501 | 505
  readonly reason: string
}

/** What reading a head comes to; only a `complete` one may be acted upon. */
export type HeadResult<Head> =
  | { readonly state: 'complete'; readonly head: Head }
  /** More bytes are needed; no limit is exceeded yet. */
  | { readonly state: 'incomplete' }
  | { readonly state: 'refused'; readonly refusal: HeadRefusal }

/** Finds the end of a body in a stream of chunks without copying or decoding it. */
export interface BodyScanner {
  readonly done: boolean
  /**
   * Reads on at `from` and returns the offset behind the last byte that belongs to the body. Once `done`, bytes from there on belong to the next head.
   * Refuses malformed chunk sizes, extensions over the line limit and trailers over the head limit by returning -1; the connection is then unusable.
   */
  scan(chunk: Buffer, from: number): number
}
