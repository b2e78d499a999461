// A back end on port 8000: answers at once, or after `/slow` is asked, in so many milliseconds as the query says.
import { createServer } from 'node:http'

createServer((request, response) => {
  const delayMs = request.url.startsWith('/slow?') ? Number(request.url.slice('/slow?'.length)) : 0
  setTimeout(() => response.end('from the back end'), delayMs)
}).listen(8000, '127.0.0.1')
