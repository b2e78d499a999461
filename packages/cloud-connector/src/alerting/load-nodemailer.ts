import { loadLibrary } from '@sallyport/stream'
import type { createTransport } from 'nodemailer'

/** @throws ConnectivityError `CONFIGURATION_INVALID` where it is not installed */
export function loadNodemailer(): Promise<typeof createTransport> {
  return loadLibrary(
    { name: 'nodemailer', beside: '@sallyport/cloud-connector', attempt: 'send an alert by mail' },
    async () => (await import('nodemailer')).createTransport,
  )
}
