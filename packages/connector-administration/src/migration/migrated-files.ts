import type { EmailSettings } from '@sallyport/admin-api'
import { writeZip } from '../backup/zip-file.ts'
import { renderConnectors } from '../document/administered-source.ts'
import { exportSubaccount } from '../document/exported-subaccount.ts'
import { formatAnswers } from './saved-answers.ts'
import type { Migration } from './migrate-answers.ts'
import type { OriginalAnswers } from './original-answers.ts'

/** A migration as files. */
export interface MigratedFiles {
  /** Value of the configuration file of an installation that a file configures; it refers to others of the files by name. */
  readonly configuration: unknown
  /** For an administered installation an archive for each subaccount; certificates; the answers themselves. */
  readonly files: Readonly<Record<string, Buffer | string>>
}

/** Names have letters, digits, `.`, `_` and `-` alone, so that nothing that an original says leads out of a folder. */
export function migratedFiles({ document }: Migration, answers: OriginalAnswers, nowMs: number): MigratedFiles {
  const fileOf = (alias: string): string => `${alias}.pem`
  const { connectors } = renderConnectors(document)
  const { alerting, email } = document.reporting
  const archives = document.subaccounts.map(
    (entry, at) =>
      [
        `subaccount-${at + 1}-${entry.subaccount.replaceAll(/[^\w.-]/g, '_').slice(0, 100)}.zip`,
        // As an export of a subaccount, and as one of its access control.
        writeZip(
          {
            'subaccount.json': JSON.stringify({ version: 1, ...exportSubaccount(entry) }),
            'access-control.json': JSON.stringify({ version: 1, systemMappings: entry.systemMappings }),
          },
          nowMs,
        ),
      ] as const,
  )
  return {
    configuration: {
      version: 1,
      connectorAdmin: { alerts: { settings: alerting, ...(email.enabled ? { email: mailEntryOf(email) } : {}) } },
      connectors: connectors.map(({ backendTrust, channels, ...entry }) => ({
        ...entry,
        backendTrust: { ...backendTrust, authorities: backendTrust.authorities.map(({ file }) => ({ file: fileOf(file) })) },
        // Opened by somebody who knows that the original has closed its own.
        channels: channels.map((channel) => ({ ...channel, enabled: false })),
      })),
    },
    files: {
      'answers.json': formatAnswers(answers),
      ...Object.fromEntries(document.onPremises.trustedBackends.map(({ alias, certificate }) => [fileOf(alias), certificate])),
      ...Object.fromEntries(archives),
    },
  }
}

/** Mail as the configuration file has it; its password is written there by hand. */
function mailEntryOf(email: EmailSettings): unknown {
  return {
    to: email.sendTo,
    cc: email.sendCc,
    from: email.sendFrom,
    host: email.smtpHost,
    port: email.smtpPort,
    user: email.smtpUsername,
    tls: email.trustOption,
    properties: email.additionalProperties ?? {},
  }
}
