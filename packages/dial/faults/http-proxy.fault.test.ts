import { once } from 'node:events'
import { inspect } from 'node:util'
import { dialCases, type DialFarSide, runDialCase } from '@sallyport/conformance/cases'
import { createSecret } from '@sallyport/core'
import { createConnectProxy, createSocketNetwork } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { createProxyDial } from '../src/index.ts'

const opening = { signal: new AbortController().signal, locationId: '' }
const credentials = { user: 'user', password: createSecret('p4ss-w0rd') }

describe('an HTTP proxy', () => {
  it('gets one head with the authority twice and the credentials', async () => {
    await using network = createSocketNetwork()
    const backend = await network.serve(() => {})
    await using proxy = await createConnectProxy({ route: () => backend })
    const dial = createProxyDial({ kind: 'http', proxy: proxy.address, credentials })
    for (const host of ['erp.test', '::1']) (await dial({ host, port: 443 }, opening)).destroy()
    const basic = Buffer.from('user:p4ss-w0rd').toString('base64')
    expect(proxy.heads).toEqual([
      `CONNECT erp.test:443 HTTP/1.1\r\nHost: erp.test:443\r\nProxy-Authorization: Basic ${basic}\r\n\r\n`,
      `CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nProxy-Authorization: Basic ${basic}\r\n\r\n`,
    ])
  })

  it('keeps far bytes that arrive in one piece with the answer', async () => {
    const open = async (): Promise<DialFarSide> => {
      const network = createSocketNetwork()
      const proxy = await createConnectProxy({
        coalesce: true,
        route: (authority) => ({ host: '127.0.0.1', port: Number(authority.split(':')[1]) }),
      })
      return {
        ...network,
        dial: createProxyDial({ kind: 'http', proxy: proxy.address }),
        async [Symbol.asyncDispose]() {
          await Promise.all([network[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()])
        },
      }
    }
    await expect(runDialCase(dialCases['keeps bytes that the far side sends before anybody reads'], { open })).resolves.toBeUndefined()
  })

  it('that never ends its head is given up at the limit', async () => {
    await using network = createSocketNetwork()
    const proxy = await network.serve(({ stream }) => {
      stream.write('HTTP/1.1 200 OK\r\n')
      const more = (): void => {
        while (!stream.destroyed && stream.write(`X-Padding: ${'x'.repeat(1000)}\r\n`));
      }
      stream.on('drain', more)
      more()
    })
    const error: unknown = await createProxyDial({ kind: 'http', proxy, credentials })({ host: 'v', port: 1 }, opening).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: 'PROTOCOL_VIOLATION' })
    expect(inspect(error, { depth: 12 })).not.toContain('p4ss-w0rd')
    await network.idle()
  })

  it('is not asked for a host that would break out of the request', async () => {
    await using network = createSocketNetwork()
    const dial = createProxyDial({ kind: 'http', proxy: await network.serve(() => {}) })
    await expect(dial({ host: 'a HTTP/1.1\r\nX: y', port: 1 }, opening)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
    expect(network.accepted).toBe(0)
  })

  it('gets no credentials that would break out of the header', () => {
    const proxy = { host: '127.0.0.1', port: 1 }
    for (const bad of [
      { user: 'a:b', password: createSecret('p') },
      { user: 'a\r\n', password: createSecret('p') },
      { user: 'a', password: createSecret('p\n') },
    ]) {
      expect(() => createProxyDial({ kind: 'http', proxy, credentials: bad })).toThrow(/credentials/)
    }
  })

  it('may be reached through another dial', async () => {
    await using network = createSocketNetwork()
    const backend = await network.serve(({ stream }) => stream.end('hello'))
    await using inner = await createConnectProxy({ route: () => backend })
    await using outer = await createConnectProxy({ route: () => inner.address })
    const dial = createProxyDial({ kind: 'http', proxy: inner.address, dial: createProxyDial({ kind: 'http', proxy: outer.address }) })
    const stream = await dial({ host: 'erp.test', port: 80 }, opening)
    const [greeting] = (await once(stream, 'data')) as [Buffer]
    expect(greeting.toString()).toBe('hello')
    expect(outer.heads[0]).toContain(`CONNECT 127.0.0.1:${inner.address.port} `)
  })
})
