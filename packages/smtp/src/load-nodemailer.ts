import { loadLibrary } from '@sallyport/stream'
import type { createTransport } from 'nodemailer'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'

/** The two halves of nodemailer: the one that composes messages, and the one that speaks to a server. */
export interface Nodemailer {
  readonly createTransporter: typeof createTransport
  readonly Connection: typeof SMTPConnection
}

/** @throws ConnectivityError `CONFIGURATION_INVALID` where it is not installed */
export function loadNodemailer(attempt: string): Promise<Nodemailer> {
  return loadLibrary({ name: 'nodemailer', beside: '@sallyport/smtp', attempt }, async () => {
    const [composing, { default: Connection }] = await Promise.all([import('nodemailer'), import('nodemailer/lib/smtp-connection')])
    return { createTransporter: composing.createTransport, Connection }
  })
}
