import { createRequire } from 'node:module'
import type { RfcAvailability } from '../rfc-binding.ts'

/** A value as node-rfc takes and gives it. */
export type NodeRfcValue = string | number | bigint | Uint8Array | readonly NodeRfcValue[] | { readonly [name: string]: NodeRfcValue }

/** What is used of a client of node-rfc 3.3. */
export interface NodeRfcClient {
  readonly alive: boolean
  open(): Promise<unknown>
  close(): Promise<unknown>
  call(
    functionName: string,
    parameters: Readonly<Record<string, NodeRfcValue>>,
    options: { readonly notRequested: readonly string[] },
  ): Promise<Readonly<Record<string, NodeRfcValue>>>
  ping(): Promise<unknown>
  cancel(): Promise<unknown>
  resetServerContext(): Promise<unknown>
}

/** What is used of the module. Its own types are not imported, so that nobody needs it to compile. */
export interface NodeRfcModule {
  readonly Client: new (
    parameters: Readonly<Record<string, string>>,
    options: { readonly bcd: 'string'; readonly timeout?: number },
  ) => NodeRfcClient
}

/** What it is when the package, or the SDK that it links, is not there. */
const missingCodes: readonly unknown[] = ['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED']

/** Loads node-rfc, a CommonJS package. Not by `import`: bundlers and test runners would put something of theirs in the place of a package that is missing. */
export async function importNodeRfc(): Promise<unknown> {
  return createRequire(import.meta.url)('node-rfc') as unknown
}

/** Loads the module. @throws what importing throws, unless it says that something is not installed. */
export async function loadNodeRfc(importModule: () => Promise<unknown>): Promise<RfcAvailability & { readonly module?: NodeRfcModule }> {
  try {
    const imported = (await importModule()) as Partial<NodeRfcModule> & { readonly default?: Partial<NodeRfcModule> }
    const Client = imported.Client ?? imported.default?.Client
    if (Client === undefined) return { available: false, reason: 'node-rfc has no Client; is it version 3?' }
    return { available: true, module: { Client } }
  } catch (error) {
    const { code } = (error ?? {}) as { readonly code?: unknown }
    if (!missingCodes.includes(code)) throw error
    const what = code === 'ERR_DLOPEN_FAILED' ? 'install the SAP NW RFC SDK' : 'install node-rfc and the SAP NW RFC SDK'
    return { available: false, reason: `node-rfc cannot be loaded (${String(code)}); ${what}` }
  }
}
