/** Headers that end at this hop and mean nothing to it. `Transfer-Encoding` stays: bodies pass as they are. */
export const removedByName: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'te', 'trailer', 'upgrade', 'http2-settings'])

/**
 * Whether a header of an application never goes on: `Proxy-…` and `SAP-Connectivity-…` are for the proxy, and client certificate headers are what the
 * connector itself tells backends, so an application must not. Backends that fold `-` and `_` would take either spelling.
 */
export function removedByPrefix(name: string): boolean {
  // Names are lower case; the first letter rules out nearly every header at once.
  switch (name.charCodeAt(0)) {
    case 0x70:
      return name.startsWith('proxy-')
    case 0x73:
      return name.startsWith('sap-connectivity-') || name === 'sap-cp-connectivity-service-token' || /^ssl[-_]client[-_]cert/.test(name)
    default:
      return false
  }
}

/** The same for trailers behind a chunked body, where none of them has any business. */
export function isForbiddenTrailer(name: string): boolean {
  return removedByName.has(name) || removedByPrefix(name)
}
