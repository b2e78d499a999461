import { ConnectivityError, silentLogger, type Clock, type Logger } from '@sallyport/core'
import { addIssuer } from './issuers.ts'
import { createKeySet, type KeySet } from './key-set.ts'
import { defaultMaxStaleMs } from './limits.ts'
import type { KeySource } from './types.ts'

/** Where keys come from and how often they are fetched. */
export interface RemoteKeySourceOptions {
  /** Where the keys of each trusted issuer are. The address comes from configuration, never from a token. */
  readonly issuers: readonly { readonly issuer: string; readonly url: URL }[]
  /** Fetches a JSON Web Key Set and returns its `keys`. It bounds the size of the answer and follows no redirects to other hosts. */
  readonly fetchKeys: (url: URL, signal: AbortSignal) => Promise<readonly Readonly<Record<string, unknown>>[]>
  readonly clock: Clock
  /** Keys are fetched again at this age, whether or not somebody asks for them. */
  readonly maxAgeMs: number
  /** Shortest time between two fetches for one issuer, successful or not. */
  readonly minRefreshMs: number
  /** Longest duration of one fetch. */
  readonly timeoutMs: number
  /** How long keys are used after the last successful fetch while their server does not answer; the default is a day. */
  readonly maxStaleMs?: number
  readonly log?: Logger
}

interface IssuerState {
  readonly issuer: string
  readonly url: URL
  keys: KeySet | undefined
  fetchedAtMs: number
  attemptedAtMs: number
  running: Promise<boolean> | undefined
  cancelTimer: () => void
}

/**
 * Keys of token services, fetched when first needed and kept fresh. Concurrent askers share one fetch; an unknown key id causes one, at most every
 * `minRefreshMs`; while the server is out of reach the known keys stay in use up to `maxStaleMs`, then nothing of that issuer is accepted.
 *
 * Disposing stops the refreshing and aborts what is under way.
 */
export function createRemoteKeySource(options: RemoteKeySourceOptions): KeySource & Disposable {
  const { fetchKeys, clock, maxAgeMs, minRefreshMs, timeoutMs, maxStaleMs = defaultMaxStaleMs, log = silentLogger } = options
  const states = new Map<string, IssuerState>()
  for (const { issuer, url } of options.issuers) {
    addIssuer(states, issuer, {
      issuer,
      url,
      keys: undefined,
      fetchedAtMs: -Infinity,
      attemptedAtMs: -Infinity,
      running: undefined,
      cancelTimer: () => {},
    })
  }
  const closing = new AbortController()
  let revision = 1

  const setKeys = (state: IssuerState, keys: KeySet | undefined): void => {
    if (state.keys?.fingerprint !== keys?.fingerprint) revision++
    // The same keys stay the same objects, so that imported forms of them are found again.
    if (keys === undefined || state.keys?.fingerprint !== keys.fingerprint) state.keys = keys
  }

  const scheduleRefresh = (state: IssuerState, delayMs: number): void => {
    state.cancelTimer()
    if (closing.signal.aborted) return
    state.cancelTimer = clock.after(delayMs, () => void refresh(state))
  }

  const fetchOnce = async (state: IssuerState): Promise<boolean> => {
    const startedAtMs = clock.now()
    state.attemptedAtMs = startedAtMs
    try {
      const keys = await withTimeout((signal) => fetchKeys(state.url, signal), clock, timeoutMs, closing.signal)
      if (!Array.isArray(keys)) throw new ConnectivityError('PROTOCOL_VIOLATION', 'the answer is not a list of keys')
      setKeys(state, createKeySet(keys))
      state.fetchedAtMs = startedAtMs
      scheduleRefresh(state, maxAgeMs)
      return true
    } catch (error) {
      const code = ConnectivityError.is(error) ? error.code : 'PEER_UNREACHABLE'
      log.warn({ issuer: state.issuer, code }, 'keys of a trusted issuer could not be fetched')
      dropWhenTooOld(state)
      scheduleRefresh(state, minRefreshMs)
      return false
    }
  }

  const refresh = (state: IssuerState): Promise<boolean> => {
    state.running ??= fetchOnce(state).finally(() => {
      state.running = undefined
    })
    return state.running
  }

  const dropWhenTooOld = (state: IssuerState): void => {
    if (state.keys !== undefined && clock.now() - state.fetchedAtMs >= maxStaleMs) setKeys(state, undefined)
  }

  const mayFetch = (state: IssuerState): boolean =>
    state.running !== undefined || (!closing.signal.aborted && clock.now() - state.attemptedAtMs >= minRefreshMs)

  return {
    get revision() {
      return revision
    },
    async find(issuer, keyId, algorithm) {
      const state = states.get(issuer)
      if (state === undefined) return undefined
      dropWhenTooOld(state)
      const known = state.keys?.find(keyId, algorithm)
      const isFresh = clock.now() - state.fetchedAtMs < maxAgeMs
      if (known !== undefined) {
        // Nobody waits for a refresh that the timer should have made, such as after the machine has slept.
        if (!isFresh && mayFetch(state)) void refresh(state)
        return known
      }
      const fetched = mayFetch(state) ? await refresh(state) : isFresh
      const key = state.keys?.find(keyId, algorithm)
      if (key === undefined && !fetched) {
        throw new ConnectivityError('PEER_UNREACHABLE', `the keys of ${issuer} cannot be fetched at the moment`)
      }
      return key
    },
    [Symbol.dispose]() {
      closing.abort()
      for (const state of states.values()) state.cancelTimer()
    },
  }
}

/** Settles when the work does, the time is over or the owner closes, even if the work ignores its signal. */
async function withTimeout<T>(
  work: (signal: AbortSignal) => Promise<T>,
  clock: Clock,
  timeoutMs: number,
  closing: AbortSignal,
): Promise<T> {
  const controller = new AbortController()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (error: ConnectivityError): void => {
    reject(error)
    controller.abort(error)
  }
  const close = (): void => abort(new ConnectivityError('ABORTED', 'the key source has been closed'))
  if (closing.aborted) close()
  closing.addEventListener('abort', close, { once: true })
  const cancel = clock.after(timeoutMs, () => abort(new ConnectivityError('DEADLINE_EXCEEDED', `no keys within ${timeoutMs} ms`)))
  try {
    return await Promise.race([work(controller.signal), aborted])
  } finally {
    cancel()
    closing.removeEventListener('abort', close)
  }
}
