/** `host:port` with brackets around IPv6; the port is left out when it is the scheme's own. */
export function formatHostPort(host: string, port: number, defaultPort: number): string {
  const bracketed = host.includes(':') ? `[${host}]` : host
  return port === defaultPort ? bracketed : `${bracketed}:${port}`
}
