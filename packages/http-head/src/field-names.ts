/** Names that occur in nearly every head; one string each, so that parsing allocates none for them and comparisons are by identity. */
const frequentNames = [
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'accept-ranges',
  'age',
  'allow',
  'authorization',
  'cache-control',
  'connection',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-range',
  'content-security-policy',
  'content-type',
  'cookie',
  'dataserviceversion',
  'date',
  'etag',
  'expect',
  'expires',
  'forwarded',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'keep-alive',
  'last-modified',
  'location',
  'maxdataserviceversion',
  'odata-maxversion',
  'odata-version',
  'origin',
  'pragma',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'referer',
  'retry-after',
  'sap-client',
  'sap-connectivity-authentication',
  'sap-connectivity-scc-location_id',
  'sap-connectivity-technical-authentication',
  'sap-language',
  'server',
  'set-cookie',
  'strict-transport-security',
  'te',
  'traceparent',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'vary',
  'via',
  'www-authenticate',
  'x-content-type-options',
  'x-correlation-id',
  'x-correlationid',
  'x-csrf-token',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-frame-options',
  'x-request-id',
  'x-requested-with',
]

const bucketCount = 512
const buckets: (string | undefined)[] = Array.from({ length: bucketCount })
for (const name of frequentNames) {
  const last = name.length - 1
  buckets[bucketOf(name.length, name.charCodeAt(0), name.charCodeAt(last >> 1), name.charCodeAt(last))] = name
}

/** Mixes length and three letters. Two frequent names in one bucket cost the earlier one its speed, nothing else. */
function bucketOf(length: number, first: number, middle: number, last: number): number {
  return (length * 7 + (first | 0x20) * 31 + (middle | 0x20) * 13 + (last | 0x20) * 5) & (bucketCount - 1)
}

/**
 * The lower-case name that the bytes spell in any mixture of cases, if it is a frequent one.
 *
 * The bytes must be token characters: among those `byte | 0x20` meets the letters, digits, `-` and `_` of a frequent name only for the same character in
 * either case (`_` itself folds to DEL and is compared unfolded).
 */
export function frequentName(bytes: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start
  const name = buckets[bucketOf(length, bytes[start]!, bytes[start + ((length - 1) >> 1)]!, bytes[end - 1]!)]
  if (name === undefined || name.length !== length) return undefined
  for (let at = 0; at < length; at += 1) {
    const byte = bytes[start + at]!
    const expected = name.charCodeAt(at)
    if (byte !== expected && (byte | 0x20) !== expected) return undefined
  }
  return name
}
