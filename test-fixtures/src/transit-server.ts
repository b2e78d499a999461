import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server that speaks as much of the HTTP API of Vault's transit engine as our client uses, with the statuses and messages of OpenBao. */
export interface TransitServer extends AsyncDisposable {
  readonly url: string
  /** The token that is admitted everywhere; `refuse` takes single keys away from it. */
  token: string
  /** Role and secret that get the token. */
  readonly role: { readonly roleId: string; readonly secretId: string }
  /** Seconds that a token from logging on lasts, by its own words. */
  leaseSeconds: number
  /** Method, path and namespace of every request. */
  readonly requests: { readonly method: string; readonly path: string; readonly namespace: string | undefined }[]
  create(key: string): void
  remove(key: string): void
  refuse(key: string, refused: boolean): void
  rotate(key: string): void
  retire(key: string): void
  /** Answers everything with this status from now on. */
  failWith: number | undefined
  /** Answers nothing from now on. */
  silent: boolean
}

interface Ring {
  readonly versions: Buffer[]
  oldest: number
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

const errors = (status: number, ...messages: string[]): Answer => ({ status, body: { errors: messages } })

export async function createTransitServer(): Promise<TransitServer> {
  const rings = new Map<string, Ring>()
  const refusedKeys = new Set<string>()
  const server = createServer((request, response) => {
    void read(request).then((text) => {
      if (transit.silent) return
      const { status, body } = transit.failWith === undefined ? answer(request, text) : errors(transit.failWith, 'the server is in trouble')
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const ringOf = (key: string): Ring => {
    const ring = rings.get(key) ?? { versions: [randomBytes(32)], oldest: 1 }
    rings.set(key, ring)
    return ring
  }

  function answer(request: IncomingMessage, text: string): Answer {
    const path = (request.url ?? '').replace(/^\/v1\//, '')
    const namespace = request.headers['x-vault-namespace']
    transit.requests.push({ method: request.method ?? '', path, namespace: typeof namespace === 'string' ? namespace : undefined })
    const body = (text === '' ? {} : JSON.parse(text)) as Readonly<Record<string, string>>
    if (path === 'auth/approle/login') {
      if (body['role_id'] !== transit.role.roleId || body['secret_id'] !== transit.role.secretId)
        return errors(400, 'invalid role or secret ID')
      return { status: 200, body: { auth: { client_token: transit.token, lease_duration: transit.leaseSeconds } } }
    }
    const [, what = '', encoded = ''] = /^transit\/(keys|encrypt|decrypt)\/([^/]+)$/.exec(path) ?? []
    if (request.headers['x-vault-token'] !== transit.token || request.headers['x-vault-request'] !== 'true')
      return errors(403, 'permission denied')
    if (what === '') return errors(404, 'no handler for route')
    const key = decodeURIComponent(encoded)
    if (refusedKeys.has(key)) return errors(403, '1 error occurred:\n\t* permission denied\n\n')
    const known = rings.get(key)
    if (what === 'keys') {
      if (known === undefined) return errors(404)
      return { status: 200, body: { data: { name: key, type: 'aes256-gcm96', latest_version: known.versions.length } } }
    }
    // As the engine does: encrypting with a key that is not there makes one.
    if (what === 'encrypt') return { status: 200, body: { data: { ciphertext: seal(ringOf(key), body['plaintext'] ?? '') } } }
    return known === undefined ? errors(400, 'encryption key not found') : open(known, body['ciphertext'] ?? '')
  }

  const transit: TransitServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: `s.${randomBytes(12).toString('hex')}`,
    role: { roleId: randomBytes(8).toString('hex'), secretId: randomBytes(16).toString('hex') },
    leaseSeconds: 3_600,
    requests: [],
    create: (key) => void ringOf(key),
    remove: (key) => void rings.delete(key),
    refuse: (key, refused) => void (refused ? refusedKeys.add(key) : refusedKeys.delete(key)),
    rotate: (key) => void ringOf(key).versions.push(randomBytes(32)),
    retire(key) {
      const ring = ringOf(key)
      ring.oldest = ring.versions.length
    },
    failWith: undefined,
    silent: false,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return transit
}

function seal({ versions }: Ring, plaintext: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', versions.at(-1) ?? Buffer.alloc(32), nonce)
  const body = Buffer.concat([nonce, cipher.update(Buffer.from(plaintext, 'base64')), cipher.final(), cipher.getAuthTag()])
  return `vault:v${versions.length}:${body.toString('base64')}`
}

function open({ versions, oldest }: Ring, ciphertext: string): Answer {
  if (ciphertext === '') return errors(400, 'missing ciphertext to decrypt')
  const [, version, encoded = ''] = /^vault:v(\d+):(.+)$/.exec(ciphertext) ?? []
  if (version === undefined) return errors(400, 'invalid ciphertext: no prefix')
  const secret = versions[Number(version) - 1]
  if (secret === undefined) return errors(400, 'invalid ciphertext: version is too new')
  if (Number(version) < oldest) return errors(400, 'ciphertext or signature version is disallowed by policy (too old)')
  try {
    const bytes = Buffer.from(encoded, 'base64')
    const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, 12), { authTagLength: 16 })
    decipher.setAuthTag(bytes.subarray(-16))
    const plaintext = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
    return { status: 200, body: { data: { plaintext: plaintext.toString('base64') } } }
  } catch {
    return errors(400, 'invalid ciphertext: unable to decrypt')
  }
}

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) text += chunk
  return text
}
