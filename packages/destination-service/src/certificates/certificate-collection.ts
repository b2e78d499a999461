import { z } from 'zod'
import type { Collection } from '../entities/collection.ts'
import { notFound } from '../http/answer.ts'
import { checkCertificate } from './check-certificate.ts'

/** `/v1/{subaccount,instance}Certificates` */
export const certificateCollection: Collection = {
  kind: 'certificate',
  path: 'Certificates',
  nameProperty: 'Name',
  schema: z.object({ Name: z.string(), Type: z.string().optional(), Content: z.string() }),
  filters: ['in', 'label'],
  bulk: true,
  absentDeletion: 'refused',
  absent: () => notFound,
  check: checkCertificate,
}
