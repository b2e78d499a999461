import { type HeapSettings, parseHeapSize } from '@sallyport/admin-api'

/**
 * How a server's heap grows. Every read of a socket is a buffer outside V8's heap; by default V8 collects the whole heap for each 64 MB of them, many times a second
 * in a transfer. With these it counts them as part of a heap that may grow to a proper size first, which doubles what a transfer moves.
 */
const accounting = '--external-memory-accounted-in-global-limit'
const usualInitialMegabytes = 128
const megabyte = 1024 * 1024

/**
 * Begins this process anew, with the same arguments and the same id, when its heap is not set up for a server: V8 takes the sizes only at its start. Returns where that
 * has been done, where the operator has chosen a size on the command line or in NODE_OPTIONS, and on Windows, which cannot.
 */
export function ensureServerHeap(settings: HeapSettings): void {
  const { env, execArgv, execPath, platform } = process
  const isChosen = [...execArgv, env['NODE_OPTIONS'] ?? ''].some((option) => option.includes('old-space-size'))
  if (isChosen || platform === 'win32' || process.execve === undefined) return
  process.execve(execPath, [execPath, ...heapFlags(settings), ...execArgv, ...process.argv.slice(1)], env)
}

/** What V8 is told. A heap that may not grow to its usual beginning begins with what it may grow to. */
function heapFlags({ initialHeap, maxHeap }: HeapSettings): readonly string[] {
  const max = megabytesOf(maxHeap)
  const initial = megabytesOf(initialHeap) ?? usualInitialMegabytes
  return [
    accounting,
    `--initial-old-space-size=${Math.min(initial, max ?? initial)}`,
    ...(max === undefined ? [] : [`--max-old-space-size=${max}`]),
  ]
}

function megabytesOf(size = ''): number | undefined {
  const bytes = parseHeapSize(size)
  return bytes === undefined ? undefined : Math.max(1, Math.ceil(bytes / megabyte))
}
