import { foreignText } from '@sallyport/core'
import type { SMTPConnectionSendInfo } from 'nodemailer/lib/smtp-connection'

/** What became of a message that the server has taken, for some of its recipients at least. */
export interface SmtpDelivery {
  readonly messageId: string
  /** Who it was sent from and to, as the server was told. */
  readonly envelope: SmtpEnvelope
  readonly accepted: readonly string[]
  readonly rejected: readonly SmtpRejection[]
  /** By what name the server knows the message in its log and its queue; `undefined` where it does not say. */
  readonly queueId: string | undefined
  /** The server's last word. */
  readonly response: string
}

/** Sender and recipients; a sender of `''` is nobody, for notices that must not be answered. */
export interface SmtpEnvelope {
  readonly from: string
  readonly to: readonly string[]
}

/** A recipient that the server does not take mail for. */
export interface SmtpRejection {
  readonly recipient: string
  readonly responseCode: number
  readonly response: string
  /** The same message may be taken for it later. */
  readonly retryable: boolean
}

/** What nodemailer's plugins and callers are given; `queueId` is ours. */
export interface SmtpSentInfo extends SMTPConnectionSendInfo {
  readonly envelope: { readonly from: string; readonly to: string[] }
  readonly messageId: string
  readonly queueId: string | undefined
  // nodemailer asks of every transport's outcome that anything may be read from it.
  readonly [key: string]: unknown
}

/** How servers name a message when they take it: Postfix and Exchange, Exim, sendmail, qmail. */
const queueIds: readonly RegExp[] = [
  /\bqueued as ([A-Za-z0-9.-]+)/i,
  /\bOK id=([A-Za-z0-9-]+)/i,
  /^250 \d\.\d\.\d ([A-Za-z0-9]{10,}) Message accepted/i,
  /\bok \d+ qp (\d+)/i,
]

/** Reads the name of a message from the answer to its last line. */
export function queueIdOf(response: string): string | undefined {
  for (const pattern of queueIds) {
    const id = pattern.exec(response)?.[1]
    if (id !== undefined) return id
  }
  return undefined
}

/** Our outcome from nodemailer's. */
export function deliveryOf(info: SmtpSentInfo): SmtpDelivery {
  return {
    messageId: info.messageId,
    envelope: { from: info.envelope.from, to: info.envelope.to },
    accepted: info.accepted,
    rejected: (info.rejectedErrors ?? []).map((error) => {
      const responseCode = error.responseCode ?? 0
      return {
        recipient: error.recipient ?? '',
        responseCode,
        response: foreignText(error.response ?? ''),
        retryable: responseCode >= 400 && responseCode < 500,
      }
    }),
    queueId: info.queueId,
    response: foreignText(info.response),
  }
}
