import { z } from 'zod'

/** A boolean, also written as a text: clients of the original send both (cloud-connector.md §8.1). */
export const tolerantBoolean: z.ZodType<boolean> = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])

/** An integer in a range, also written as a text. */
export function tolerantInteger(low: number, high: number): z.ZodType<number> {
  return z
    .union([
      z.int(),
      z
        .string()
        .regex(/^\d{1,10}$/)
        .transform(Number),
    ])
    .pipe(z.int().min(low).max(high))
}
