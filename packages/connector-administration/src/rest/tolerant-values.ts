import { z } from 'zod'

/** A boolean, also written as a text: clients of the original send both (cloud-connector.md §8.1). */
export const tolerantBoolean: z.ZodType<boolean> = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], {
  error: orMissing('has to be true or false'),
})

/** An integer in a range, also written as a text. */
export function tolerantInteger(low: number, high: number): z.ZodType<number> {
  const error = orMissing(`has to be a whole number from ${low} to ${high}`)
  const text = z
    .string()
    .regex(/^\d{1,10}$/)
    .transform(Number)
  return z.union([z.int(), text], { error }).refine((value) => value >= low && value <= high, { error })
}

/** A text that may be written as an integer, such as a port. */
export function tolerantText(length: number): z.ZodType<string> {
  const error = orMissing(`has to be a text of 1 to ${length} characters, or a whole number`)
  return z
    .union([z.string(), z.int().min(0).transform(String)], { error })
    .refine((text) => text !== '' && text.length <= length, { error })
}

function orMissing(rule: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => (input === undefined ? 'is missing' : rule)
}
