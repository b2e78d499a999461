/** Tokens of our own token service, as the services of the cloud side verify them. */
export const serviceTokenBounds = {
  /** The documented leeway of the official libraries. */
  expiryToleranceSeconds: 60,
  notBeforeToleranceSeconds: 60,
  maxCachedTokens: 10_000,
  /** One header line of the proxy holds 8 KiB. */
  maxTokenBytes: 8_192,
} as const

/** Tokens of corporate identity providers, where they are taken as assertions: of the size that the token service takes. */
export const assertionBounds = {
  expiryToleranceSeconds: 0,
  notBeforeToleranceSeconds: 60,
  maxCachedTokens: 1_000,
  maxTokenBytes: 16_384,
} as const

/** A new key is published half an hour before it signs; ten minutes are often enough. Unknown keys are asked for at most once in five seconds. */
export const keyRefresh = { maxAgeMs: 600_000, minRefreshMs: 5_000, timeoutMs: 5_000 } as const
