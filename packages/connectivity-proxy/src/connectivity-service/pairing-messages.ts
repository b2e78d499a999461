import { z } from 'zod'
import { maxLocationIdBytes } from '../limits.ts'

/** Text that may stand in certificates, logs and tables: no control characters. */
const line = z.string().regex(/^\P{Cc}*$/u, 'has control characters')

/** Body of `POST /api/v1/pairing`. */
export const pairingRequestSchema: z.ZodType<PairingRequest> = z.strictObject({
  code: z.string().min(1).max(100),
  certificationRequest: z.string().min(1).max(16_384),
  connectorId: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'is not 1 to 64 letters, digits, dots, hyphens and underscores'),
  locationId: line.refine((text) => Buffer.byteLength(text) <= maxLocationIdBytes, `has more than ${maxLocationIdBytes} bytes`).default(''),
  description: line.max(250).default(''),
})

/** A connector that wants to belong to the subaccount of the code. */
export interface PairingRequest {
  readonly code: string
  /** PEM, RFC 2986; its key becomes that of the certificate, its subject is not used. */
  readonly certificationRequest: string
  readonly connectorId: string
  readonly locationId: string
  readonly description: string
}

/** Answer to a successful pairing. */
export interface PairingAnswer {
  readonly subaccount: string
  /** PEM of the subaccount certificate. */
  readonly certificate: string
  /** PEM of the authorities that sign connectors and the tunnel listener. */
  readonly authorities: string
  /** Where to open the tunnel, such as `tls://proxy.example.org:8042`. */
  readonly tunnelEndpoint: string
}
