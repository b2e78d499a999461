import { Agent, request } from 'node:https'

/** Speaks to the administration of a connector, in one session. */
export interface AdministrationClient extends Disposable {
  /** @throws Error for any status but those of success. */
  call(method: string, path: string, body?: unknown): Promise<Buffer>
  /** As another user from now on. */
  logOn(user: string): void
}

/** `user` is `name:password`. */
export function createAdministrationClient(options: {
  readonly port: number
  readonly authority: string
  readonly user: string
}): AdministrationClient {
  const { authority: ca, port } = options
  const agent = new Agent({ keepAlive: true, ca })
  let { user } = options
  let session: Readonly<Record<string, string>> = {}
  return {
    async call(method, path, body) {
      const form = body instanceof FormData ? new Response(body) : undefined
      const content = form === undefined ? (body === undefined ? undefined : JSON.stringify(body)) : Buffer.from(await form.arrayBuffer())
      const type = form?.headers.get('content-type') ?? 'application/json'
      return await new Promise((resolve, reject) => {
        const headers = { ...(content === undefined ? {} : { 'content-type': type }), ...session }
        const sent = request({ host: 'localhost', port, method, path, agent, auth: user, headers }, (response) => {
          const token = response.headers['x-csrf-token']
          const cookie = response.headers['set-cookie']?.[0]?.split(';')[0]
          if (typeof token === 'string' && cookie !== undefined) session = { cookie, 'x-csrf-token': token }
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => {
            const bytes = Buffer.concat(chunks)
            if ((response.statusCode ?? 0) < 300) resolve(bytes)
            else reject(new Error(`${method} ${path} answered ${response.statusCode}: ${bytes.toString('utf8', 0, 500)}`))
          })
        })
        sent.on('error', reject).end(content)
      })
    },
    logOn(next) {
      user = next
      session = {}
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}
