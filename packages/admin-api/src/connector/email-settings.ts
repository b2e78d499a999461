import { z } from 'zod'

/** How the connection to the mail server is secured, in the original's words. `jdkAndEmailTrustStore` adds the authorities that Node trusts. */
export const emailTrustOptions = ['tlsDisabled', 'emailTrustStore', 'jdkAndEmailTrustStore', 'trustAll'] as const
/** One of {@link emailTrustOptions}. */
export type EmailTrustOption = (typeof emailTrustOptions)[number]

/** Sends alerts by mail: the body of the original's `email` resource, with the certificates of its trust store. */
export interface EmailSettings {
  readonly enabled: boolean
  readonly trustOption: EmailTrustOption | (string & {})
  /** Addresses, several with commas; with a name as `Name <address>`. */
  readonly sendTo: string
  readonly sendCc?: string | undefined
  readonly sendFrom: string
  readonly smtpHost: string
  readonly smtpPort?: number | undefined
  readonly smtpUsername?: string | undefined
  readonly smtpPassword?: string | undefined
  /** JavaMail properties; of those of another kind nothing is done. */
  readonly additionalProperties?: Readonly<Record<string, string>> | undefined
  /** PEM of trusted certificates. */
  readonly trustStore: readonly string[]
}

const text = z.string().max(2048)

/** Schema of {@link EmailSettings}: values are looked at only when mail is switched on. */
export const emailSettingsSchema: z.ZodType<EmailSettings> = z
  .strictObject({
    enabled: z.boolean().default(false),
    trustOption: text.default('tlsDisabled'),
    sendTo: text.default(''),
    sendCc: text.optional(),
    sendFrom: text.default(''),
    smtpHost: text.default(''),
    smtpPort: z.int().optional(),
    smtpUsername: text.optional(),
    smtpPassword: text.optional(),
    additionalProperties: z.record(text, text).optional(),
    trustStore: z.array(z.string().max(65_536)).max(100).default([]),
  })
  .superRefine((settings, context) => {
    if (!settings.enabled) return
    const problem = (path: keyof EmailSettings, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    if (!emailTrustOptions.some((option) => option === settings.trustOption))
      problem('trustOption', `must be one of ${emailTrustOptions.join(', ')}`)
    if (!isAddressList(settings.sendTo)) problem('sendTo', 'must be one or more mail addresses')
    if (settings.sendCc !== undefined && settings.sendCc !== '' && !isAddressList(settings.sendCc))
      problem('sendCc', 'must be mail addresses')
    if (!isAddress(settings.sendFrom)) problem('sendFrom', 'must be one mail address')
    if (!isHost(settings.smtpHost)) problem('smtpHost', 'must be the name or the address of a host')
    const { smtpPort } = settings
    if (smtpPort !== undefined && (smtpPort < 1 || smtpPort > 65_535)) problem('smtpPort', 'must be from 1 to 65535')
  })

function isAddressList(list: string): boolean {
  // Commas in a quoted name separate nothing.
  const parts = list.replace(/"(?:[^"\\]|\\.)*"/g, (name) => name.replaceAll(',', ' ')).split(',')
  return parts.every(isAddress)
}

/** RFC 5322 §3.4, without groups, comments and quoted local parts. */
function isAddress(part: string): boolean {
  const named = /^(?:"(?:[^"\\\p{Cc}]|\\[^\p{Cc}])*" *|[^<>",\p{Cc}]*)<([^<>]+)>$/u.exec(part.trim())
  const address = named?.[1] ?? part.trim()
  const at = address.lastIndexOf('@')
  return at > 0 && address.length <= 254 && /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}$/.test(address.slice(0, at)) && isHost(address.slice(at + 1))
}

function isHost(host: string): boolean {
  return host.length <= 255 && (/^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(host) || /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(host))
}
