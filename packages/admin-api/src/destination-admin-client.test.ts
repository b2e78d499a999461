import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { type AdminRequest, createDestinationAdminClient, type DestinationAdminClient } from './index.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()))
})

/** A client of a server that answers what the test says; how the client gets on with the real service is shown there. */
async function clientOf(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  options: { readonly timeoutMs?: number; readonly token?: () => Promise<string>; readonly request?: AdminRequest } = {},
): Promise<DestinationAdminClient> {
  const server = createServer((request, response) => {
    request.resume()
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return createDestinationAdminClient({ url, token: () => Promise.resolve('t0ken'), request: fetch, ...options })
}

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
const notFound = { ErrorMessage: 'Configuration with the specified name was not found' }

describe('the client of the destination service', () => {
  it('asks below the address of the binding, with the token, and encodes names', async () => {
    const seen: (string | undefined)[] = []
    const client = await clientOf((request, response) => {
      seen.push(request.url, request.headers.authorization)
      json(response, 200, { Name: 'a/b c', Type: 'TCP' })
    })
    expect(await client.get('instance', 'a/b c')).toEqual({ Name: 'a/b c', Type: 'TCP' })
    expect(seen).toEqual(['/destination-configuration/v1/instanceDestinations/a%2Fb%20c', 'Bearer t0ken'])
  })

  it.each([
    [400, { ErrorMessage: 'Property "Type" is missing' }, 'DESTINATION_INVALID', 'answered 400 "Property "Type" is missing"'],
    [401, { ErrorMessage: 'The token has expired' }, 'TOKEN_INVALID', 'The token has expired'],
    [403, {}, 'ACCESS_DENIED', 'answered 403'],
    [404, { ErrorMessage: 'There is no such resource' }, 'NOT_FOUND', 'There is no such resource'],
    [302, {}, 'PROTOCOL_VIOLATION', 'answered 302'],
    [500, notFound, 'SERVICE_UNAVAILABLE', 'answered 500'],
    [503, '<html>', 'SERVICE_UNAVAILABLE', 'answered 503'],
  ])('turns %i into an error that says what was attempted and why it failed', async (status, body, code, text) => {
    const client = await clientOf((_request, response) => json(response, status, body))
    await expect(client.get('subaccount', 'd')).rejects.toMatchObject({ code, message: expect.stringContaining(text) as string })
    await expect(client.find('d')).rejects.toMatchObject({
      code,
      message: expect.stringContaining('finding the destination "d"') as string,
    })
  })

  it('takes for absent only what the service says is absent', async () => {
    const client = await clientOf((_request, response) => json(response, 404, notFound))
    expect(await client.get('subaccount', 'd')).toBeUndefined()
    expect(await client.find('d')).toBeUndefined()
    expect(await client.delete('subaccount', 'd')).toBe(false)
    const elsewhere = await clientOf((_request, response) => response.writeHead(404).end('nothing here'))
    await expect(elsewhere.delete('subaccount', 'd')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('tells an answer that is none of a destination service, without quoting it', async () => {
    for (const body of ['secret', '[1]', '{"Name":1}', '{"owner":null}']) {
      const client = await clientOf((_request, response) => response.end(body))
      for (const call of [client.list('subaccount'), client.get('subaccount', 'd'), client.find('d')]) {
        await expect(call).rejects.toMatchObject({ code: 'PROTOCOL_VIOLATION', message: expect.not.stringContaining('secret') as string })
      }
    }
  })

  it('creates what it cannot replace, and replaces what somebody else created meanwhile', async () => {
    const methods: string[] = []
    const answers: [number, unknown][] = [
      [404, notFound],
      [409, { ErrorMessage: 'exists' }],
      [200, { Count: 1 }],
    ]
    const client = await clientOf((request, response) => {
      methods.push(request.method ?? '')
      json(response, ...(answers.shift() ?? [500, {}]))
    })
    expect(await client.set('subaccount', { Name: 'd', Type: 'TCP' })).toBe('replaced')
    expect(methods).toEqual(['PUT', 'POST', 'PUT'])
  })

  it('gives up when the race does not end', async () => {
    const client = await clientOf((request, response) => json(response, request.method === 'PUT' ? 404 : 409, notFound))
    await expect(client.set('subaccount', { Name: 'd', Type: 'TCP' })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
  })

  it('waits no longer than told, for the head and for the body', async () => {
    for (const start of [() => {}, (response: ServerResponse) => response.write('[')]) {
      const client = await clientOf((_request, response) => void start(response), { timeoutMs: 100 })
      await expect(client.list('subaccount')).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    }
  })

  it.each(['s3cret\ntoken', 's3cret–token', ''])('sends no token that cannot stand in a header (%j), and does not show it', async (bad) => {
    let requests = 0
    const answer = (_request: IncomingMessage, response: ServerResponse): void => {
      requests += 1
      json(response, 404, notFound)
    }
    const calls = [
      (await clientOf(answer, { token: () => Promise.resolve(bad) })).list('subaccount'),
      (await clientOf(answer)).find('d', { userToken: bad }),
    ]
    for (const call of calls) {
      const error: unknown = await call.catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'TOKEN_INVALID' })
      expect(inspect(error, { depth: 12, showHidden: true })).not.toContain('s3cret')
    }
    expect(requests).toBe(0)
  })

  it('says that nobody is there', async () => {
    const client = createDestinationAdminClient({ url: 'http://127.0.0.1:1', token: () => Promise.resolve('t'), request: fetch })
    await expect(client.list('subaccount')).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  })
})
