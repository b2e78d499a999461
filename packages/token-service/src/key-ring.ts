import { createPrivateKey, createPublicKey, generateKeyPair, type JsonWebKey, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { type Clock, ConnectivityError, createSecret, type Logger } from '@sallyport/core'
import { keyPublishLeadMs, keyReloadMs, keyRetentionMs, maxSigningKeys, signingKeyBits } from './limits.ts'
import { type RandomSource, randomUuid } from './random.ts'
import type { SigningKeyStore, StoredSigningKey } from './signing-key-store.ts'

/** One entry of the key set: numbers for current clients, `value` (PEM) for those that read nothing else. */
export interface PublicSigningKey {
  readonly kty: 'RSA'
  readonly kid: string
  readonly alg: 'RS256'
  readonly use: 'sig'
  readonly n: string
  readonly e: string
  readonly value: string
}

/** The keys of the service: one signs, a new one waits, old ones stay until their tokens have expired. */
export interface KeyRing {
  /** The key that signs now. The first call creates one if the store is empty. */
  signingKey(): Promise<{ readonly keyId: string; readonly privateKey: KeyObject; readonly publicKey: string }>
  /** All keys that tokens may have been or will soon be signed with. */
  publicKeys(): Promise<readonly PublicSigningKey[]>
  /**
   * Adds a key that signs after {@link keyPublishLeadMs}, when every client has fetched it. While one is waiting already nothing is added.
   *
   * @throws ConnectivityError `SERVICE_UNAVAILABLE` while too many old keys are still needed.
   */
  rotate(): Promise<{ readonly keyId: string; readonly signsFromMs: number }>
  /** Changes whenever the set of public keys does. */
  readonly revision: number
}

interface Key extends StoredSigningKey {
  readonly signer: KeyObject
  readonly public: PublicSigningKey
}

const newKeyPair = promisify(generateKeyPair)

/** Creates the ring over a store. Nothing is read before the first use. */
export function createKeyRing(deps: {
  readonly store: SigningKeyStore
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
}): KeyRing {
  const { store, clock, random, log } = deps
  let keys: readonly Key[] = []
  let loadedAtMs: number | undefined
  let loading: Promise<void> | undefined
  let rotating: Promise<StoredSigningKey> | undefined
  let revision = 0

  async function readStore(): Promise<void> {
    let stored = await store.list()
    if (stored.length === 0) {
      await store.add(await createKey(clock.now()), { onlyFirst: true })
      stored = await store.list()
      log.info({}, 'first signing key created')
    }
    const sorted = stored.toSorted((a, b) => a.signsFromMs - b.signsFromMs || (a.keyId < b.keyId ? -1 : 1))
    const needed = sorted.filter((_, at) => !isOver(sorted, at))
    for (const key of sorted.filter((candidate) => !needed.includes(candidate))) {
      await store.remove(key.keyId)
      log.info({ keyId: key.keyId }, 'signing key removed, its tokens have expired')
    }
    const before = keys
    keys = needed.map((key) => before.find((known) => known.keyId === key.keyId) ?? importKey(key))
    if (keys.length !== before.length || keys.some((key, at) => key !== before[at])) revision++
    loadedAtMs = clock.now()
  }

  /** A key is over when its successor has been signing for as long as a token can live. */
  function isOver(sorted: readonly StoredSigningKey[], at: number): boolean {
    const successor = sorted[at + 1]
    return successor !== undefined && clock.now() > successor.signsFromMs + keyRetentionMs
  }

  /** One reading at a time; everybody who comes meanwhile waits for it. A failed one is tried again by the next caller. */
  async function load(): Promise<void> {
    const now = clock.now()
    if (loadedAtMs === undefined || now < loadedAtMs || now - loadedAtMs >= keyReloadMs) await reload()
  }

  async function reload(): Promise<void> {
    loading ??= readStore().finally(() => {
      loading = undefined
    })
    await loading
  }

  async function addKey(): Promise<StoredSigningKey> {
    await reload()
    const waiting = keys.find(({ signsFromMs }) => signsFromMs > clock.now())
    if (waiting !== undefined) return waiting
    if (keys.length >= maxSigningKeys) {
      throw new ConnectivityError(
        'SERVICE_UNAVAILABLE',
        `${keys.length} signing keys are still needed; rotate again when the oldest has gone`,
      )
    }
    const key = await createKey(clock.now() + keyPublishLeadMs)
    await store.add(key, { onlyFirst: false })
    // A reading that began before may have missed the key; its own caller hears of its failure.
    await loading?.catch(() => {})
    await reload()
    log.info({ keyId: key.keyId, signsFromMs: key.signsFromMs }, 'signing key added')
    return key
  }

  async function createKey(signsFromMs: number): Promise<StoredSigningKey> {
    const pair = await newKeyPair('rsa', { modulusLength: signingKeyBits })
    return {
      keyId: `key-${randomUuid(random)}`,
      privateKey: createSecret(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
      publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      signsFromMs,
    }
  }

  return {
    async signingKey() {
      await load()
      // The first key signs from its creation on, so there is one unless the clock was set back; then the oldest has to do.
      const key = keys.findLast(({ signsFromMs }) => signsFromMs <= clock.now()) ?? keys[0]
      if (key === undefined) throw new ConnectivityError('STORE_FAILED', 'the store of signing keys is empty right after a key was added')
      return { keyId: key.keyId, privateKey: key.signer, publicKey: key.publicKey }
    },
    async publicKeys() {
      await load()
      return keys.map((key) => key.public)
    },
    async rotate() {
      rotating ??= addKey().finally(() => {
        rotating = undefined
      })
      const { keyId, signsFromMs } = await rotating
      return { keyId, signsFromMs }
    },
    get revision() {
      return revision
    },
  }
}

function importKey(stored: StoredSigningKey): Key {
  const jwk: JsonWebKey = createPublicKey(stored.publicKey).export({ format: 'jwk' })
  if (jwk.kty !== 'RSA' || typeof jwk.n !== 'string' || typeof jwk.e !== 'string') {
    throw new ConnectivityError('STORE_FAILED', `signing key ${stored.keyId} is not an RSA key`)
  }
  return {
    ...stored,
    signer: createPrivateKey(stored.privateKey.reveal()),
    public: { kty: 'RSA', kid: stored.keyId, alg: 'RS256', use: 'sig', n: jwk.n, e: jwk.e, value: stored.publicKey },
  }
}
