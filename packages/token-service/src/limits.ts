/** Largest form body. The longest legal content is a percent-encoded assertion beside a secret; twice that is room enough. */
export const maxBodyBytes = 65_536

/** Largest request head: a user token in `Authorization` and, for clients that send forms in the query, an assertion in the request line. */
export const maxHeadBytes = 32_768

/** Parameters per request, body and query together. The official clients send at most twelve. */
export const maxParameters = 64

/** Longest parameter name and value. A value holds at most an assertion; tokens of other issuers run to some 10 KiB. */
export const maxParameterNameLength = 100
export const maxParameterValueLength = 16_384

/** Longest client id, tenant id, user name, group: what the original allows, rounded up. */
export const maxNameLength = 256

/** Longest redirect URI and `state`; browsers and proxies refuse longer lines soon after. */
export const maxRedirectLength = 2_048
export const maxStateLength = 2_048

/** Scopes in one request and length of one of them. */
export const maxScopes = 100
export const maxScopeLength = 256

/** Largest `authorities` parameter: it comes back inside the token, which has 4 KiB in all. */
export const maxAuthoritiesLength = 1_024

/** Two tokens travel in one request to the connectivity proxy, whose lines hold 8 KiB: a token that is longer is not issued. */
export const maxTokenBytes = 4_096

/**
 * One that carries the token of a corporate identity provider along, which is 1 to 3 KiB and a third longer inside. It still fits a line of the
 * proxy as `Bearer`; in `Basic`, which is a third longer again, only some 6 100 bytes do.
 */
export const maxEmbeddingTokenBytes = 8_000

/** Largest token of a trusted issuer that is accepted as an assertion. */
export const maxAssertionBytes = 16_384

/** Verified assertions that are remembered; each entry is a few KiB. */
export const maxCachedAssertions = 1_000

/** Clock difference that is tolerated in assertions: none worth speaking of for our own, a minute for `nbf` of other issuers. */
export const assertionExpiryToleranceSeconds = 5
export const assertionNotBeforeToleranceSeconds = 60

/**
 * Bounds of the life time of access tokens. Below 420 s the official approuter fetches tokens in an endless loop, so `expires_in` stays above 10 minutes;
 * a day at most, because an issued token cannot be called back and old keys must be published as long as their tokens live.
 */
export const minAccessTokenSeconds = 660
export const maxAccessTokenSeconds = 86_400

/** Bits of signing keys; RS256 is the one algorithm that all clients accept. */
export const signingKeyBits = 2_048

/** Clients keep a key set for 30 minutes and do not ask again for an unknown key before that. */
const keyCacheMs: number = 30 * 60_000

/** Several processes may share one key store; each reads it again after this time. */
export const keyReloadMs: number = 5 * 60_000

/** How long HTTP caches may keep the key set. */
export const keySetMaxAgeSeconds = 60

/** A new key is published this long before it signs: every process has read it, every cache on the way and every client has fetched it. */
export const keyPublishLeadMs: number = keyCacheMs + keyReloadMs + keySetMaxAgeSeconds * 1_000 + 4 * 60_000

/** An old key stays published this long after its last signature: the longest token, the leeway of 60 s that clients grant, and some. */
export const keyRetentionMs: number = (maxAccessTokenSeconds + 300) * 1_000

/** Keys that may be published at once. `rotateKeys` refuses beyond; a day has room for far more rotations than make sense. */
export const maxSigningKeys = 16

/** Random bytes in authorization codes, refresh tokens, session ids and client secrets: 256 bits cannot be guessed, so a plain hash keeps them. */
export const secretBytes = 32

/** Shortest client secret in a configuration. Secrets are kept as one SHA-256, which is only sound for secrets that nobody can guess. */
export const minClientSecretLength = 16

/**
 * scrypt parameters for user passwords: those that its authors give for interactive log-ons, 16 MiB and about 60 ms of one core. A dearer setting would
 * break clients before it stops attackers: the official ones give up after 2 s. Two at a time leave threads for signatures; with twelve waiting the last one
 * is still answered in time on a busy machine. More get 503. Stored hashes may be up to eight times dearer.
 */
export const passwordHashCost: { readonly logN: number; readonly r: number; readonly p: number } = { logN: 14, r: 8, p: 1 }
export const maxPasswordHashCostFactor = 8
export const passwordHashConcurrency = 2
export const passwordHashQueue = 12
export const maxPasswordLength = 512

/** Failed log-ons per user before further ones are refused unread, and the time until they are read again. */
export const maxFailuresPerUser = 10
/** Failed log-ons on the log-on page per address; higher, because many people may share one. */
export const maxFailuresPerAddress = 100
export const failureWindowMs: number = 5 * 60_000
/** Users and addresses whose failures are counted; the oldest count is forgotten first. */
export const maxFailureCounters = 10_000

/** Open connections per listener; each may hold a head, a body and a TLS session. */
export const maxConnections = 2_000

/** Time for a TLS handshake and for a whole request to arrive, for a connection to wait for its next request, and to be silent at all. */
export const requestTimeoutMs = 10_000
export const keepAliveTimeoutMs = 15_000
export const connectionTimeoutMs = 30_000

/** How often Node looks for requests that take too long; its default of 30 s would treble our limits. */
export const timeoutCheckIntervalMs = 2_000

/** Longest correlation id that is taken over from a request. */
export const maxCorrelationIdLength = 128

/** Entries and texts of a static directory. */
export const maxGroupsPerUser = 100
export const maxAttributesPerUser = 50
export const maxRedirectPatterns = 50

/** After so many additions the grants store is swept: what has expired goes, and what exceeds {@link TokenServiceLimits.maxGrants} goes oldest first. */
export const grantSweepInterval = 64

/** What an operator may tune. Sizes of messages are not among it. */
export interface TokenServiceLimits {
  /** Life time of access tokens, 660 to 86 400. Clients may have their own. */
  readonly accessTokenSeconds: number
  /** Life time of refresh tokens. Using one does not prolong it. */
  readonly refreshTokenSeconds: number
  /** Time between log-on and code exchange. RFC 6749 recommends at most 10 minutes. */
  readonly codeSeconds: number
  /** How long a browser stays logged on. */
  readonly sessionSeconds: number
  /** Codes, refresh tokens and sessions that one user holds for one client; a new one replaces the oldest. */
  readonly maxGrantsPerUserAndClient: number
  /** All codes, refresh tokens and sessions; new ones replace the oldest. */
  readonly maxGrants: number
}

/** The values we run with. They are handed over explicitly, so that a composition that wants others sees where. */
export const defaultLimits: TokenServiceLimits = {
  accessTokenSeconds: 3_600,
  refreshTokenSeconds: 7 * 86_400,
  codeSeconds: 300,
  sessionSeconds: 8 * 3_600,
  maxGrantsPerUserAndClient: 20,
  maxGrants: 200_000,
}

/** How long requests under way may take when the service closes; the official clients give up after two to ten seconds. Then their sockets are destroyed. */
export const shutdownGraceMs = 5_000
