import { createSecret, type Secret } from '@sallyport/core'
import { z } from 'zod'
import { maxLocationIdBytes } from '../limits.ts'

/** Text that may stand in certificates, logs and tables: no control characters. */
const line = z.string().regex(/^\P{Cc}*$/u, 'has control characters')

/** Body of `POST /api/v1/pairing`. */
export const pairingRequestSchema: z.ZodType<PairingRequest> = z
  .strictObject({
    code: z.string().min(1).max(100).optional(),
    subaccount: line.min(1).max(200).optional(),
    user: line.min(1).max(320).optional(),
    password: z.string().min(1).max(1024).optional(),
    certificationRequest: z.string().min(1).max(16_384),
    connectorId: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'is not 1 to 64 letters, digits, dots, hyphens and underscores'),
    locationId: line
      .refine((text) => Buffer.byteLength(text) <= maxLocationIdBytes, `has more than ${maxLocationIdBytes} bytes`)
      .default(''),
    description: line.max(250).default(''),
  })
  .transform(({ code, password, subaccount, user, ...rest }, context): PairingRequest => {
    if (code !== undefined && user === undefined && password === undefined) return { ...rest, proof: { kind: 'code', code, subaccount } }
    if (code === undefined && subaccount !== undefined && user !== undefined && password !== undefined)
      return { ...rest, proof: { kind: 'user', subaccount, user, password: createSecret(password) } }
    context.addIssue({
      code: 'custom',
      path: ['code'],
      message: 'is missing; without one, subaccount, user and password are needed, and not both',
    })
    return z.NEVER
  })

/** What allows a connector to belong to a subaccount. */
export type PairingProof =
  /** A one-time code. With `subaccount` it must be one for that subaccount, and is not used up otherwise. */
  | { readonly kind: 'code'; readonly code: string; readonly subaccount: string | undefined }
  /** A user of the subaccount who may add connectors. */
  | { readonly kind: 'user'; readonly subaccount: string; readonly user: string; readonly password: Secret }

/** A connector that wants to belong to a subaccount. */
export interface PairingRequest {
  readonly proof: PairingProof
  /** PEM, RFC 2986; its key becomes that of the certificate, its subject is not used. */
  readonly certificationRequest: string
  readonly connectorId: string
  readonly locationId: string
  readonly description: string
}

/** Answer to a successful pairing. */
export interface PairingAnswer {
  readonly subaccount: string
  /** What people call it; the same as `subaccount` where nobody has named it. */
  readonly displayName: string
  /** Who is held to have added the connector. */
  readonly user: string
  /** PEM of the subaccount certificate. */
  readonly certificate: string
  /** PEM of the authorities that sign connectors and the tunnel listener. */
  readonly authorities: string
  /** Where to open the tunnel, such as `tls://proxy.example.org:8042`. */
  readonly tunnelEndpoint: string
}
