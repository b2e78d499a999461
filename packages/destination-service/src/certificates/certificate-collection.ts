import { z } from 'zod'
import type { Collection } from '../entities/collection.ts'
import { notFound } from '../http/answer.ts'
import { checkCertificate } from './check-certificate.ts'

const attributes = z.object({
  CN: z.string().optional(),
  Validity: z.object({ TimeUnit: z.enum(['DAYS', 'MONTHS', 'YEARS']), Value: z.number() }).optional(),
  AutomaticRenew: z.boolean().optional(),
  Password: z.string().optional(),
  CSR: z.string().optional().describe('Base64 of a certification request in PEM; the file then has no private key'),
})

/** `/v1/{subaccount,instance}Certificates` */
export const certificateCollection: Collection = {
  kind: 'certificate',
  path: 'Certificates',
  nameProperty: 'Name',
  schema: z.object({
    Name: z.string().describe('A file name whose extension says what is in it: pem, crt, cer, der, p12, pfx or jks'),
    Type: z.literal('CERTIFICATE').optional(),
    Content: z.string().optional().describe('Base64 of the file; always there in answers'),
    Attributes: attributes.optional().describe('Instead of Content: generates the file'),
  }),
  filters: ['in', 'label'],
  bulk: true,
  absentDeletion: 'refused',
  absent: () => notFound,
  check: checkCertificate,
}
