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

/** A text that may be written as an integer, such as a port. */
export function tolerantText(length: number): z.ZodType<string> {
  return z.union([z.string(), z.int().min(0).transform(String)]).pipe(z.string().min(1).max(length))
}
