import { getHeapStatistics } from 'node:v8'
import { type HeapSettings, parseHeapSize } from '@sallyport/admin-api'
import type { RuntimeSettings } from '@sallyport/connector-administration'
import type { DataFolder } from './data-folder.ts'

/** Start options of the connector, which no other file can hold: they are read before anything else is. */
export const startOptionsFile = ['connector', 'props.ini'] as const

const names = { initialHeap: 'heap.initial', maxHeap: 'heap.max' } as const

/** The sizes in the file; what is none is left out, so that a slip of the pen does not keep the connector from starting. */
export function readHeapSettings(folder: Pick<DataFolder, 'read'>): HeapSettings {
  const lines = (folder.read(...startOptionsFile) ?? '').split(/\r?\n/)
  const valueOf = (name: string): string | undefined => {
    const line = lines.findLast((each) => each.split('=', 1)[0]?.trim() === name)
    const value = line?.slice(line.indexOf('=') + 1).trim()
    return value !== undefined && parseHeapSize(value) !== undefined ? value : undefined
  }
  const [initialHeap, maxHeap] = [valueOf(names.initialHeap), valueOf(names.maxHeap)]
  return { ...(initialHeap && { initialHeap }), ...(maxHeap && { maxHeap }) }
}

/** Memory of this process, and what the next start will have. Other lines of the file stay. */
export function createRuntimeSettings(folder: DataFolder): RuntimeSettings {
  return {
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    read: async () => readHeapSettings(folder),
    async write({ initialHeap, maxHeap }) {
      const own: readonly string[] = Object.values(names)
      const others = (folder.read(...startOptionsFile) ?? '')
        .split(/\r?\n/)
        .filter((line) => line !== '' && !own.includes(line.split('=', 1)[0]?.trim() ?? ''))
      const lines = [
        ...others,
        ...(initialHeap === undefined ? [] : [`${names.initialHeap}=${initialHeap}`]),
        ...(maxHeap === undefined ? [] : [`${names.maxHeap}=${maxHeap}`]),
      ]
      folder.write(startOptionsFile, `${lines.join('\n')}\n`)
    },
  }
}
