/**
 * The protocol adapter for MAIL destinations that send, on nodemailer: over any dial, in the clear, over SMTPS or with STARTTLS.
 *
 * @example
 * await using client = await createSmtpAdapter({ clock: systemClock }).connect(destination, { dial, credentials, signal, log })
 * const { accepted, rejected, queueId } = await client.send({ to: 'jane@acme.test', subject: 'Invoice', text: 'As agreed.' })
 *
 * @packageDocumentation
 */
export { connect } from './connect.ts'
export type { SmtpDelivery, SmtpEnvelope, SmtpRejection, SmtpSentInfo } from './delivery.ts'
export { createSmtpAdapter, type SmtpAdapterOptions } from './smtp-adapter.ts'
export type { SmtpClient, SmtpMessage, SmtpSendManyOptions, SmtpSendOptions } from './smtp-client.ts'
export type { TlsOptions } from '@sallyport/stream'
