import { z } from 'zod'
import type { DestinationRecord } from './destination.ts'

/** One token of a find result, ready to be sent as `http_header`; on failure `error` has the reason and everything else is empty. */
export interface AuthToken {
  readonly type: string
  readonly value: string
  readonly http_header?: { readonly key: string; readonly value: string } | undefined
  /** Seconds, as a text. */
  readonly expires_in?: string | undefined
  readonly scope?: string | undefined
  readonly refresh_token?: string | undefined
  /** What kind of token an exchange has issued, RFC 8693 §3. */
  readonly issued_token_type?: string | undefined
  readonly error?: string | undefined
}

/** What "find destination" answers. `InstanceId` is `null` for a destination of the subaccount. */
export interface FindResult {
  readonly owner: { readonly SubaccountId: string | null; readonly InstanceId: string | null }
  readonly destinationConfiguration: DestinationRecord
  readonly authTokens?: readonly AuthToken[] | undefined
  readonly certificates?: readonly ReturnedCertificate[] | undefined
}

/** A certificate or key store that the application needs. `Content` is Base64 of the file. */
export interface ReturnedCertificate {
  readonly Name: string
  readonly Content: string
  readonly Type: string
}

/** Checks an {@link AuthToken}; members that nobody here knows are left out. */
export const authTokenSchema: z.ZodType<AuthToken> = z.object({
  type: z.string(),
  value: z.string(),
  http_header: z.object({ key: z.string(), value: z.string() }).optional(),
  expires_in: z.string().optional(),
  scope: z.string().optional(),
  refresh_token: z.string().optional(),
  issued_token_type: z.string().optional(),
  error: z.string().optional(),
})

/** Checks a destination as it comes over the wire: `Name`, `Type` and texts only. */
export const destinationRecordSchema: z.ZodType<DestinationRecord> = z
  .object({ Name: z.string(), Type: z.string() })
  .catchall(z.string()) as z.ZodType<DestinationRecord>

/** Checks a {@link FindResult}. */
export const findResultSchema: z.ZodType<FindResult> = z.object({
  owner: z.object({ SubaccountId: z.string().nullable(), InstanceId: z.string().nullable() }),
  destinationConfiguration: destinationRecordSchema,
  authTokens: z.array(authTokenSchema).optional(),
  certificates: z.array(z.object({ Name: z.string(), Content: z.string(), Type: z.string() })).optional(),
})

/** Checks what "consume destination" answers: as find, without the owner. */
export const consumeResultSchema: z.ZodType<Omit<FindResult, 'owner'>> = z.object({
  destinationConfiguration: destinationRecordSchema,
  authTokens: z.array(authTokenSchema).optional(),
  certificates: z.array(z.object({ Name: z.string(), Content: z.string(), Type: z.string() })).optional(),
})

/** Checks a list of destinations without metadata. */
export const destinationListSchema: z.ZodType<readonly DestinationRecord[]> = z.array(destinationRecordSchema)

/** The form of every refusal. */
export const destinationErrorSchema: z.ZodType<{ readonly ErrorMessage: string }> = z.object({ ErrorMessage: z.string() })

/** The one text that clients take for "there is no such destination"; SAP's SDK compares it word for word. */
export const destinationNotFoundText = 'Configuration with the specified name was not found'
