import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { startNginx } from '@sallyport/real-backends'
import { announcesClose, sendWhole } from '../conformance/connection.ts'
import type { ReadRequest, Reading } from '../conformance/reading.ts'

/** Reads whole connections with nginx: what it forwards to a server behind it is what it has read. */
export interface NginxReader extends AsyncDisposable {
  /** One at a time. */
  read(bytes: Buffer): Promise<Reading>
}

/** Headers by which nginx reports its reading of the request line, in lower case. */
export const reportedUri = 'x-nginx-uri'
export const reportedHost = 'x-nginx-host'

export async function startNginxReader(): Promise<NginxReader> {
  let requests: ReadRequest[] = []
  // Not an HTTP server, because that would have opinions of its own about methods and names.
  const behind = createServer((socket) => {
    let text = ''
    socket.setEncoding('latin1').on('data', (more: string) => {
      text += more
      const request = readForwarded(text)
      if (request === undefined) return
      requests.push(request)
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
    // Connections still open when nginx is stopped end with a reset.
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(behind, 'listening')
  const { port } = behind.address() as AddressInfo
  const nginx = await startNginx({ configuration: ({ port: listen }) => configuration(listen, port) })

  return {
    async read(bytes) {
      requests = []
      const { text } = await sendWhole(nginx.port, bytes)
      return { requests, end: /HTTP\/1\.[01] [45]\d\d /.test(text) ? 'refused' : announcesClose(text) ? 'ended' : 'waiting' }
    },
    async [Symbol.asyncDispose]() {
      await nginx.stop()
      behind.close()
      await once(behind, 'close')
    },
  }
}

/** Takes apart what nginx forwards: one request per connection, in its own regular form, with a length if it has a body. */
function readForwarded(text: string): ReadRequest | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [start = '', ...lines] = text.slice(0, headEnd).split('\r\n')
  const [method = '', target = ''] = start.split(' ')
  const fields = lines.flatMap((line) => [
    line.slice(0, line.indexOf(':')),
    line.slice(line.indexOf(':') + 1).replace(/^[ \t]+|[ \t]+$/g, ''),
  ])
  const lengthAt = fields.findIndex((field, at) => at % 2 === 0 && field.toLowerCase() === 'content-length')
  const length = lengthAt < 0 ? 0 : Number(fields[lengthAt + 1])
  const body = text.slice(headEnd + 4)
  return body.length < length ? undefined : { method, target, fields, body, state: 'complete' }
}

/** Bodies are read wholly before anything is forwarded; a client that has ended its direction is served all the same. */
function configuration(listen: number, behind: number): string {
  return `
  underscores_in_headers on;
  client_max_body_size 0;
  client_body_buffer_size 64k;
  server {
    listen 127.0.0.1:${listen};
    location / {
      proxy_pass http://127.0.0.1:${behind};
      proxy_ignore_client_abort on;
      proxy_set_header Host $http_host;
      proxy_set_header ${reportedUri} $request_uri;
      proxy_set_header ${reportedHost} $host;
    }
  }`
}
