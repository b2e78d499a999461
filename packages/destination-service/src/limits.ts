/** Characters of path and query that a request may have; the original documents this number. Longer ones get 414. */
export const maxUriLength = 4_000

/** Bytes of a request body; a destination of the original's editor is a few kilobytes, a bulk write of a thousand of them fits. Longer ones get 413. */
export const maxBodyBytes = 1_048_576

/** Bytes of all request headers: a service token and a user token of 16 KiB each, an assertion, and what proxies add. Longer ones get 431. */
export const maxHeaderBytes = 65_536

/** Destinations, fragments and certificates per subaccount, each counted by itself, instance levels included; the original documents this number. */
export const maxPerSubaccount = 1_000

/** Entities in one bulk write: as many as a subaccount may have. */
export const maxBulkItems = 1_000

/** Characters of a certificate's file name: as many as a file system takes bytes. */
export const maxCertificateNameLength = 255

/** Entries on a page of a list: bounds and default are documented by the original. */
export const maxPageSize = 1_000
export const defaultPageSize = 10

/** Page numbers above this are not read; no list gets near it. */
export const maxPage = 1_000_000

/** Minutes that `modifiedwithin` may reach back: a day, as documented. */
export const maxModifiedWithinMinutes = 1_440

/** Entities that a list reads at once while it streams: with the largest body each, 16 MiB are in memory. */
export const listChunkSize = 16

/** Fragments that one look-up can lay over a destination; the header that names them could hold thousands. */
export const maxFragmentsPerFind = 20

/** Rows that one SQL statement writes, well below the smallest limit on its parameters (32,766 in SQLite, 11 per row). */
export const rowsPerInsert = 100

/** Entities that are remembered opened, and their characters; the least recently used give way. What a busy subaccount uses fits several times over. */
export const maxCachedEntities = 20_000
export const maxCachedEntityCharacters = 67_108_864

/** Subaccounts of which one query reads whether anything has changed; as many callers as one turn of the event loop usually brings. */
export const maxRevisionsPerQuery = 50

/** Rows that a walk over all tenants reads at once; between two of them others get their turn. */
export const rowsPerWalk = 64

/** How long a peer may take to send its headers, and its whole request. */
export const headersTimeoutMs = 15_000
export const requestTimeoutMs = 60_000

/** Idle connections are closed after this; longer than the 60 s after which common load balancers give up, so that they close first. */
export const keepAliveTimeoutMs = 72_000

/** A connection on which nothing moves is closed after this, so that a client which does not read holds nothing; above the longest token call. */
export const connectionTimeoutMs = 1_500_000

/** How long a TLS handshake may take. */
export const tlsHandshakeTimeoutMs = 10_000

/** Connections at the same time; further ones are closed at once. */
export const maxConnections = 10_000

/** How long `close` waits for requests in flight before it ends them. */
export const shutdownGraceMs = 10_000

/** Seconds that a destination may ask for, and what holds for anything else; the original documents these numbers. */
export const defaultTokenTimeoutSeconds = 10
export const maxTokenConnectTimeoutSeconds = 60
export const maxTokenReadTimeoutSeconds = 600

/** Bytes of a token server's answer and of its headers. Tokens with many scopes reach tens of kilobytes. */
export const maxTokenAnswerBytes = 262_144
export const maxTokenAnswerHeaderBytes = 32_768

/** Characters of a token server's error that callers get to see. */
export const maxQuotedTokenErrorLength = 1_000

/** Names in a list of addresses that DNS may answer; the first ones are tried. */
export const maxResolvedAddresses = 16

/** A token with less left is renewed before it is handed out, and one with less than the second number is never handed out. */
export const tokenRenewalSeconds = 60
export const minTokenSeconds = 5

/** Nobody means a token that lives longer than ten years; the bound keeps arithmetic exact. */
export const maxTokenSeconds = 315_360_000

/** Tokens that are remembered, and how many characters they may have in total; the least recently used give way. */
export const maxCachedTokens = 10_000
export const maxCachedTokenCharacters = 67_108_864

/** Token calls at the same time, in total and for one subaccount: a slow token server of one tenant must not take all of them. */
export const maxTokenCalls = 512
export const maxTokenCallsPerSubaccount = 64

/** Key stores and trust stores that are kept opened, and the bytes of their files: opening one may take seconds. The least recently used give way. */
export const maxRememberedKeystores = 500
export const maxRememberedKeystoreBytes = 33_554_432

/** Characters of a user token that only a destination's own keys can verify; those of the token service are bounded by its verifier. */
export const maxForeignTokenCharacters = 16_384

/** Seconds by which the clock of somebody else's issuer may differ from ours. */
export const foreignTokenToleranceSeconds = 60

/** Characters of a key set that a destination names, keys that are read of it, and keys that are tried for one token. During a rotation there are two or three. */
export const maxKeySetCharacters = 131_072
export const maxKeysOfSet = 64
export const maxKeysTried = 8

/** RSA moduli as base64url text: 8192 bits are 1366 characters. Larger ones make each verification slow and are ignored. */
export const maxModulusCharacters = 1_366

/** How long fetched keys are used, and how soon they are fetched again for a token that none of them fits; how long a fetch may take. */
export const keySetMaxAgeMs = 600_000
export const keySetMinRefreshMs = 30_000
export const keySetTimeoutMs = 5_000

/** Addresses whose keys are remembered; the oldest give way. */
export const maxCachedKeySets = 1_000

/** How long the token service may take to tell about a user. */
export const userInfoTimeoutMs = 10_000

/** Characters of a path that selects a claim, and values that are looked at on the way; nobody writes longer ones. */
export const maxJsonPathCharacters = 1_000
export const maxJsonPathNodes = 1_000

/** Values of all attributes in an assertion. A user with some hundred groups is rare; more would not fit into a request anyway. */
export const maxSamlAttributeValues = 1_000

/** Bits of RSA keys that sign assertions. Smaller ones can be broken, and whoever does can be anybody; they are refused. */
export const minAssertionRsaBits = 2_048

/** An assertion holds a minute back, for clocks that differ, and ten minutes ahead: long enough to be sent on, too short to be kept. */
export const samlNotBeforeMs = 60_000
export const samlValidityMs = 600_000

/** Bytes of a file to import, and entries in one: what a request body and a bulk write may hold. Larger ones are refused. */
export const maxExchangeFileBytes = 1_048_576
export const maxExchangedEntities = 1_000

/** What a YAML file to import may consist of: lexemes in all (ten thousand properties have fewer), levels (a list of mappings of texts), keys of a mapping. */
export const maxYamlLexemes = 60_000
export const maxYamlDepth = 3
export const maxYamlKeys = 1_000

/** How long it is remembered which instance an identity application consumes, unless the cache is cleared, and for how many applications and tenants. */
export const identityRelationAgeMs = 3_600_000
export const maxIdentityRelations = 10_000

/** Keys that are made at the same time, out of the four threads that Node has for such work; and how many more may wait before callers are sent away. */
export const maxKeyPairsAtOnce = 2
export const maxKeyPairsWaiting = 64

/** RSA bits of generated certificates, authorities and trust key pairs, as the original's. */
export const defaultRsaBits = 4_096

/** A certificate file, in bytes: large trust stores have 250 KiB. In Base64 it has to fit into a request. */
export const maxCertificateFileBytes = 524_288

/** Attributes of generated certificates, in characters. A 4096-bit request has 2,300 characters in PEM and 3,100 once more in Base64. */
export const maxCommonNameLength = 200
export const maxCertificatePasswordLength = 200
export const maxRequestCharacters = 16_384

/** Certificates that one bulk write may generate. */
export const maxGeneratedPerRequest = 10

/** The longest validity of a generated certificate: ten years, whatever the unit. */
export const maxValidityValue = { DAYS: 3_650, MONTHS: 120, YEARS: 10 } as const

/** How long before now a certificate begins, for peers whose clocks are late. */
export const backdatingMs = 3_600_000

/** Lives of the built-in authorities, 40 and 20 years; an issuing authority with less than eleven years left would not outlive what it issues, so another follows. */
export const rootAuthorityMs = 1_262_304_000_000
export const issuingAuthorityMs = 631_152_000_000
export const authorityReserveMs = 347_133_600_000

/** How long trust key pairs are valid, as the original's: two years. */
export const trustYears = 2

/** Time between two looks at all certificates, and before the first one. Thresholds are days, so that an hour more or less does not matter. */
export const upkeepIntervalMs = 3_600_000
export const firstUpkeepMs = 10_000

/** Days before the end at which somebody is told of a certificate that nobody renews; the original documents these. */
export const expiryNoticeDays = [14, 7, 3] as const

/** How long whoever is told of an expiring certificate may take to take it. */
export const expiryNoticeTimeoutMs = 30_000

/** After this somebody else may tell of it, because whoever was about to has died: longer than it may take, shorter than the time between two looks. */
export const expiryNoticeLeaseMs = 120_000

/** How long the check of a connection may take in all, how many run at the same time, in total and for one subaccount (others are told to come back), and how much of a refusal is shown. */
export const checkTimeoutMs = 10_000
export const maxRunningChecks = 64
export const maxRunningChecksPerSubaccount = 8
export const maxCheckAnswerBytes = 1_000

/** Bytes of properties in one export: what a subaccount full of large destinations holds would not fit into memory many times. */
export const maxExportBytes = 33_554_432
