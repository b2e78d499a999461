/**
 * The protocol adapter for MAIL destinations of IMAP, on imapflow: over any dial, in the clear, over TLS or with STARTTLS.
 *
 * @example
 * await using client = await createImapAdapter({ clock: systemClock }).connect(destination, { dial, credentials, signal, log })
 * for await (const { uid, source } of client.fetchUnseen('INBOX')) {
 *   await store(uid, source)
 *   await client.withMailbox('INBOX', (flow) => flow.messageFlagsAdd(uid, ['\\Seen'], { uid: true }))
 * }
 *
 * @packageDocumentation
 */
export { connect } from './connect.ts'
export { createImapAdapter, type ImapAdapterOptions } from './imap-adapter.ts'
export type { ImapClient, ImapFetchOptions, ImapMailboxOptions, ImapOptions } from './imap-client.ts'
export type { ImapFlowClass } from './library-way.ts'
