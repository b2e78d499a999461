import { createServer } from 'node:http'

/** The back end of a run: answers at once, or after `?ms=`. `/arrived` tells how many held requests have come. A program of its own. */
let arrived = 0
createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://backend')
  if (url.pathname === '/arrived') {
    response.end(String(arrived))
    return
  }
  const heldMs = Number(url.searchParams.get('ms') ?? 0)
  if (heldMs === 0) {
    response.end('here')
    return
  }
  arrived += 1
  setTimeout(() => response.end('held'), heldMs)
}).listen(8080, '0.0.0.0', () => process.stdout.write('listening\n'))
