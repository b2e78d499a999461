/**
 * A key that a customer keeps in a key management system. It never leaves the system, which encrypts and decrypts a few bytes at a time; its owner can take
 * it back at any moment, and then nothing that it protects can be read.
 *
 * Every call fails with `ENCRYPTION_KEY_UNAVAILABLE` when the system says that the key must not be used (disabled, deleted, permission withdrawn), and with
 * `SERVICE_UNAVAILABLE` when it does not say anything (not reachable, sealed, overloaded). Messages are for the operator: they may name system and key, never
 * key material, tokens or what was wrapped.
 */
export interface CustomerKey {
  /** Encrypts 32 bytes with the newest version of the key. Returns printable text that {@link CustomerKey.unwrap} takes, at most {@link maxWrappedKeyLength} characters. */
  wrap(plaintext: Buffer, signal: AbortSignal): Promise<string>
  /** Decrypts with whichever version of the key the text was made with. */
  unwrap(wrapped: string, signal: AbortSignal): Promise<Buffer>
  /** What the system tells of the key. Fails as the others do; a system that keeps this from us but lets the key be used gives a description without details. */
  describe(signal: AbortSignal): Promise<CustomerKeyDescription>
}

/** For people who look after keys; nothing depends on it. */
export interface CustomerKeyDescription {
  /** The version that {@link CustomerKey.wrap} uses. */
  readonly version?: string
  /** In the words of the system: `aes256-gcm96`, `RSA 3072`. */
  readonly algorithm?: string
}

/** A key management system, or one way into it. The keys that it hands out do nothing until they are used. */
export interface KeyManagementSystem extends AsyncDisposable {
  key(name: string): CustomerKey
}

/** Characters of a wrapped key: 32 bytes under RSA 8192 are 1,368 in Base64; systems add a few hundred. */
export const maxWrappedKeyLength = 8_192
