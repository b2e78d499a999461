import { z } from 'zod'
import { maxLabelKeyLength, maxLabels, maxLabelValueLength, maxLabelValues } from './limits.ts'

/** Something to find entities by: a key with values, kept beside the configuration and readable in the store. */
export interface Label {
  readonly key: string
  readonly values: readonly string[]
}

const printable = /^[^\p{Cc}\p{Zl}\p{Zp}]+$/u

/** Checks a {@link Label}; a label without values is a mere mark. */
export const labelSchema: z.ZodType<Label> = z.strictObject({
  key: z.string().max(maxLabelKeyLength).regex(printable),
  values: z.array(z.string().max(maxLabelValueLength).regex(printable)).max(maxLabelValues),
})

/** Checks what replaces all labels of an entity: ten labels with ten values each at most. */
export const labelsSchema: z.ZodType<readonly Label[]> = z.array(labelSchema).max(maxLabels)

/** Checks a change of labels: `ADD` adds keys and values, `DELETE` takes away the values that are named, or a whole label when none is. */
export const labelChangeSchema: z.ZodType<{ readonly action: 'ADD' | 'DELETE'; readonly labels: readonly Label[] }> = z.strictObject({
  action: z.enum(['ADD', 'DELETE']),
  labels: labelsSchema,
})
