/** What a server says it can do (RFC 2449): names in capitals, each with its parameters as they were sent. */
export type Capabilities = ReadonlyMap<string, readonly string[]>

/** Reads the lines of the answer to CAPA. Of a name that comes twice the parameters are put together. */
export function parseCapabilities(lines: readonly string[]): Capabilities {
  const found = new Map<string, readonly string[]>()
  for (const line of lines) {
    const [name = '', ...parameters] = line.trim().split(/\s+/)
    if (name !== '') found.set(name.toUpperCase(), [...(found.get(name.toUpperCase()) ?? []), ...parameters])
  }
  return found
}

/** Whether a SASL mechanism is offered. */
export function offersMechanism(capabilities: Capabilities, mechanism: string): boolean {
  return capabilities.get('SASL')?.some((name) => name.toUpperCase() === mechanism) ?? false
}
