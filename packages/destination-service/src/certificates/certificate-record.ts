import type { CertificateAttributes } from './certificate-attributes.ts'

/** What is remembered of a certificate beside its file. */
export interface CertificateRecord {
  /** When the first of its own certificates ends, authorities not counted; `undefined` where only a password would tell. */
  readonly expiresAtMs: number | undefined
  /** How it was generated; `undefined` for what somebody has uploaded. */
  readonly generated: { readonly attributes: CertificateAttributes; readonly subject: string } | undefined
}

/** The record as the hidden part of an entity. The password has a key of its own: authentication opens generated files with it. */
export function formatRecord({ expiresAtMs, generated }: CertificateRecord): Record<string, string> {
  return {
    ...(expiresAtMs === undefined ? {} : { ExpiresAt: String(expiresAtMs) }),
    ...(generated === undefined ? {} : { Generated: JSON.stringify(withoutPassword(generated)), Password: generated.attributes.password }),
  }
}

/** The record out of the hidden part of an entity. */
export function readRecord(hidden: Readonly<Record<string, string>>): CertificateRecord {
  const { ExpiresAt, Generated, Password = '' } = hidden
  const expiresAtMs = ExpiresAt === undefined ? undefined : Number(ExpiresAt)
  if (Generated === undefined) return { expiresAtMs, generated: undefined }
  const { attributes, subject } = JSON.parse(Generated) as NonNullable<CertificateRecord['generated']>
  return { expiresAtMs, generated: { attributes: { ...attributes, password: Password }, subject } }
}

function withoutPassword(generated: NonNullable<CertificateRecord['generated']>): unknown {
  const { password: _, ...attributes } = generated.attributes
  return { ...generated, attributes }
}
