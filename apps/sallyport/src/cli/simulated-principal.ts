/** What the REST API says a token would become. */
export interface SimulatedPrincipal {
  readonly trusted: boolean
  readonly issuable: boolean
  readonly user?: string
  readonly tokenIssuer?: string
  readonly tokenExpiresTimeStamp?: number
  readonly rule?: {
    readonly index: number
    readonly condition: string
    readonly description?: string
    readonly subjectPattern: Readonly<Record<string, string>>
  }
  readonly certificate?: {
    readonly subjectDN: string
    readonly issuer: string
    readonly notBeforeTimeStamp: number
    readonly notAfterTimeStamp: number
  }
  readonly problem?: string
}

/** In lines of name and value, for people. */
export function principalLines({
  certificate,
  problem,
  rule,
  tokenExpiresTimeStamp = 0,
  tokenIssuer,
  user,
}: SimulatedPrincipal): readonly (readonly [string, string])[] {
  const time = (stamp: number): string => new Date(stamp).toISOString()
  return [
    ...(user === undefined ? [] : [['user', user] as const]),
    ...(tokenIssuer === undefined ? [] : [['token', `of ${tokenIssuer}, until ${time(tokenExpiresTimeStamp)}`] as const]),
    ...(rule === undefined
      ? []
      : [['rule', `${rule.index}: ${rule.condition}`] as const, ['pattern', patternText(rule.subjectPattern)] as const]),
    ...(certificate === undefined
      ? []
      : [
          ['subject', certificate.subjectDN] as const,
          ['issuer', certificate.issuer] as const,
          ['valid', `${time(certificate.notBeforeTimeStamp)} to ${time(certificate.notAfterTimeStamp)}`] as const,
        ]),
    ...(problem === undefined ? [] : [['refused', problem] as const]),
  ]
}

/** A pattern as one text. */
export function patternText(pattern: Readonly<Record<string, string>>): string {
  return Object.entries(pattern)
    .filter(([, value]) => value !== '')
    .map(([field, value]) => `${field}=${value.replaceAll(/[,\\]/g, String.raw`\$&`)}`)
    .join(',')
}

/** Lines whose values stand below each other. */
export function formatLines(lines: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...lines.map(([name]) => name.length))
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')
}
