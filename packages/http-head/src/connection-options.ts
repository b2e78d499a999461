const none: readonly string[] = []

/** The lower-case members of all lists under a name, in order; empty members are skipped (RFC 9110 §5.6.1). */
export function listMembers(name: string, names: readonly string[], values: readonly string[]): readonly string[] {
  let members: string[] | undefined
  for (let at = 0; at < names.length; at += 1) {
    if (names[at] !== name) continue
    members ??= []
    const value = values[at]!.toLowerCase()
    if (!value.includes(',')) {
      if (value !== '') members.push(value)
      continue
    }
    for (const member of value.split(',')) {
      const trimmed = member.trim()
      if (trimmed !== '') members.push(trimmed)
    }
  }
  return members ?? none
}

/** Whether the connection may be used again after this message: RFC 9112 §9.3. */
export function wantsKeepAlive(minorVersion: 0 | 1, options: readonly string[]): boolean {
  if (options.length === 0) return minorVersion === 1
  if (options.includes('close')) return false
  return minorVersion === 1 || options.includes('keep-alive')
}

/**
 * Whether an option names a header that delimits or routes the message. A hop that removed such a header because `Connection` lists it, as RFC 9110 §7.6.1 tells it
 * to, would send a message that ends elsewhere than it began.
 */
export function namesFraming(option: string): boolean {
  return option === 'content-length' || option === 'transfer-encoding' || option === 'host'
}
