import { z } from 'zod'

/** Sizes of the heap as the original writes them, such as `1024M`; what is absent is left to the runtime. */
export interface HeapSettings {
  readonly initialHeap?: string | undefined
  readonly maxHeap?: string | undefined
}

const pattern = /^[1-9]\d{0,3}[kKmMgG]$/

/** A size of up to four digits and a unit, without a blank (cloud-connector.md §1.15). */
export const heapSizeSchema: z.ZodType<string> = z.string().regex(pattern, 'has to be up to four digits and k, m or g, such as 1024M')

const unitBytes: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** A size in bytes; `undefined` for a text that is none. */
export function parseHeapSize(size: string): number | undefined {
  return pattern.test(size) ? Number(size.slice(0, -1)) * (unitBytes[size.slice(-1).toLowerCase()] ?? 1) : undefined
}
