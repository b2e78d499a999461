/**
 * The protocol adapter for MAIL destinations of POP3: an own client over any dial, in the clear, over TLS or with STLS.
 *
 * @example
 * await using client = await createPop3Adapter({ clock: systemClock }).connect(destination, { dial, credentials, signal, log })
 * for (const { number } of await client.list()) {
 *   await store(String(number), await client.retr(number))
 *   await client.dele(number)
 * }
 * await client.quit()
 *
 * @packageDocumentation
 */
export { connect } from './connect.ts'
export type { Capabilities } from './capabilities.ts'
export type { Pop3Message, Pop3Stat, Pop3UniqueId } from './listings.ts'
export { createPop3Adapter, type Pop3AdapterOptions } from './pop3-adapter.ts'
export type { Pop3Client, Pop3ListOptions, Pop3Options } from './pop3-client.ts'
