import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { createOutgoing, type ExpiryEvent } from '@sallyport/destination-service'
import { describe, expect, it } from 'vitest'
import { createExpiryWebhook } from './expiry-webhook.ts'

const event: ExpiryEvent = {
  eventType: 'DestinationCertificateExpiring',
  severity: 'WARNING',
  subject: 's',
  body: 'b',
  resource: { name: 'a.pem', type: 'destination-certificate' },
  tags: { subaccountId: 'demo', instanceId: '', expiresAt: '2030-01-01T00:00:00.000Z', daysBefore: '14' },
}

describe('the webhook for expiring certificates', () => {
  it('gets events as JSON, also on a private address; anything but a success is a failure', async () => {
    const received: string[] = []
    const statuses = [204, 500, 302]
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        received.push(`${request.method} ${request.url} ${request.headers['content-type']} ${body}`)
        response.writeHead(statuses.shift() ?? 500, { location: '/elsewhere' }).end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const webhook = createExpiryWebhook(`http://127.0.0.1:${port}/hook?key=1`, createOutgoing({ privateAddresses: 'refuse' }))
    const signal = AbortSignal.timeout(10_000)
    await webhook.notify(event, signal)
    expect(received).toEqual([`POST /hook?key=1 application/json ${JSON.stringify(event)}`])
    await expect(webhook.notify(event, signal)).rejects.toThrow(/answered 500/)
    await expect(webhook.notify(event, signal)).rejects.toThrow(/answered 302/)
    await new Promise((resolve) => server.close(resolve))
    await expect(webhook.notify(event, signal)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  })

  it('gets user and password of the address as basic authentication; no failure shows them', async () => {
    const received: (string | undefined)[] = []
    const server = createServer((request, response) => {
      received.push(request.headers.authorization)
      response.writeHead(401).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const webhook = createExpiryWebhook(
      `http://hook%40acme:p4%3As%C3%A9@127.0.0.1:${port}/hook`,
      createOutgoing({ privateAddresses: 'allow' }),
    )
    const error: unknown = await webhook.notify(event, AbortSignal.timeout(10_000)).catch((thrown: unknown) => thrown)
    expect(received).toEqual([`Basic ${Buffer.from('hook@acme:p4:sé').toString('base64')}`])
    expect(inspect(error)).toContain('answered 401')
    expect(inspect(error, { depth: 10 })).not.toMatch(/p4/)
    await new Promise((resolve) => server.close(resolve))
  })

  it.each(['nonsense', 'ftp://a.test/', 'http://u:%zz@a.test/'])(
    'that is %j is refused with a sentence that does not repeat it',
    (address) => {
      const create = (): unknown => createExpiryWebhook(address, createOutgoing({ privateAddresses: 'allow' }))
      expect(create).toThrow(/expiryWebhook/)
      expect(create).not.toThrow(address)
    },
  )
})
