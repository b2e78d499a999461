import { type HeapSettings, parseHeapSize } from '@sallyport/admin-api'
import { smallestHeapBytes } from '../limits.ts'
import { invalidRequest } from './rest-error.ts'

/** Memory of the process. What is written takes effect with the next start. */
export interface RuntimeSettings {
  /** What the heap of this process may grow to. */
  readonly heapLimitBytes: number
  read(): Promise<HeapSettings>
  write(settings: HeapSettings): Promise<void>
}

/** @throws RestError 400 for a heap that a connector cannot start with, or that begins larger than it may become. */
export function requireFittingHeap({ initialHeap = '', maxHeap = '' }: HeapSettings): void {
  const max = parseHeapSize(maxHeap) ?? Number.POSITIVE_INFINITY
  if (max < smallestHeapBytes)
    throw invalidRequest(
      `maxHeap: has to be at least ${smallestHeapBytes / 1024 ** 2}M, or the connector would not start again; it was "${maxHeap}"`,
    )
  if ((parseHeapSize(initialHeap) ?? 0) > max)
    throw invalidRequest(`initialHeap: has to be at most maxHeap, which is "${maxHeap}"; it was "${initialHeap}"`)
}
