/** Whether the connection may be used again after this message: RFC 9112 §9.3. */
export function wantsKeepAlive(minorVersion: 0 | 1, options: readonly string[]): boolean {
  if (options.length === 0) return minorVersion === 1
  if (options.includes('close')) return false
  return minorVersion === 1 || options.includes('keep-alive')
}

/**
 * Whether an option names a header that delimits or routes the message. A hop that removed such a header because `Connection` lists it, as RFC 9110 §7.6.1
 * tells it to, would send a message that ends elsewhere than it began.
 */
export function namesFraming(option: string): boolean {
  return option === 'content-length' || option === 'transfer-encoding' || option === 'host'
}
