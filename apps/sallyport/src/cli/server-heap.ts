/**
 * How a server's heap grows. Every read of a socket is a buffer outside V8's heap; by default V8 collects the whole heap for each 64 MB of them, many times a second
 * in a transfer. With these it counts them as part of a heap that may grow to a proper size first, which doubles what a transfer moves.
 */
const heapFlags = ['--external-memory-accounted-in-global-limit', '--initial-old-space-size=128']

/**
 * Begins this process anew, with the same arguments and the same id, when its heap is not set up for a server: V8 takes the sizes only at its start. Returns where that
 * has been done, where the operator has chosen a size, and on Windows, which cannot.
 */
export function ensureServerHeap(): void {
  const { env, execArgv, execPath, platform } = process
  const isChosen = [...execArgv, env['NODE_OPTIONS'] ?? ''].some((option) => option.includes('old-space-size'))
  if (isChosen || platform === 'win32' || process.execve === undefined) return
  process.execve(execPath, [execPath, ...heapFlags, ...execArgv, ...process.argv.slice(1)], env)
}
