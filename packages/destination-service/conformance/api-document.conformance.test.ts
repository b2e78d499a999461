import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { administrationRoutes } from '../src/administration/routes.ts'
import { routes } from '../src/http/routes.ts'
import { createConnectionChecker } from '../src/index.ts'
import { instanceId, type RunningService, startService } from './running-service.ts'

let running: RunningService
beforeAll(async () => {
  running = await startService({ connections: createConnectionChecker({ privateAddresses: 'refuse' }) })
})
afterAll(() => running.close())

interface ApiDocument {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly securitySchemes: unknown }
}

interface Operation {
  readonly summary: string
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly responses: Readonly<Record<string, unknown>>
}

/** As a browser asks, without a token. */
async function read(path: string): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }> {
  const answer = await fetch(new URL(path, `${running.url}/destination-configuration/`))
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

describe('the API’s document', () => {
  it('is OpenAPI 3.1 and has every route with its parameters and answers', async () => {
    const { status, text } = await read('docs/json')
    expect(status).toBe(200)
    const document = JSON.parse(text) as ApiDocument
    expect(document.openapi).toBe('3.1.0')
    expect(document.components.securitySchemes).toMatchObject({ token: { scheme: 'bearer' } })
    const written = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(written.toSorted()).toEqual(
      [...routes, ...administrationRoutes].map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`).toSorted(),
    )
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const operation of Object.values(operations)) {
        expect(operation.summary).not.toBe('')
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403']))
        const named = (operation.parameters ?? []).flatMap((parameter) => (parameter.in === 'path' ? [parameter.name] : []))
        expect(named).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))
      }
    }
    expect((await read('docs/yaml')).text).toContain('openapi: 3.1.0')
  })

  it('describes what is really answered', async () => {
    const body = { Name: 'd', Type: 'HTTP', URL: 'http://x' }
    const asked: [string, string, string, unknown?][] = [
      ['POST', '/v1/subaccountDestinations', '', [body, body]],
      ['PUT', '/v1/subaccountDestinations', '', body],
      ['GET', '/v1/subaccountDestinations', '', undefined],
      ['GET', '/v1/subaccountDestinations/:name', 'd', undefined],
      ['PUT', '/v1/subaccountDestinations/:name/labels', 'd', [{ key: 'k', values: ['v'] }]],
      ['GET', '/v1/subaccountDestinations/:name/labels', 'd', undefined],
      ['GET', '/v1/destinations/:name', 'd', undefined],
      ['GET', '/v2/destinations/:name', 'd@subaccount', undefined],
      ['DELETE', '/v1/subaccountDestinations', "?$filter=Name in ('d', 'e')", undefined],
    ]
    for (const [method, path, name, sent] of asked) {
      const to = path.includes(':name') ? path.replace(':name', name) : path + name
      const answer = await running.call(method, to, sent === undefined ? {} : { body: sent })
      const route = routes.find((known) => known.method === method && known.path.endsWith(path))
      const described = route?.description.answers[answer.status]
      expect({ method, path, described: described?.body?.safeParse(answer.json).success }).toEqual({ method, path, described: true })
    }
  })

  it('describes what the administration really answers, and has it only where it is served', async () => {
    const draft = { properties: { Name: 'a', Type: 'HTTP', URL: 'http://x', Password: 'p4ss' } }
    const asked: [string, string, string, unknown?][] = [
      ['GET', '/session', ''],
      ['GET', '/instances', ''],
      ['GET', '/instances/:instance/settings', instanceId],
      ['PUT', '/instances/:instance/parameters', instanceId, {}],
      ['POST', '/subaccount/destinations', '', draft],
      ['GET', '/subaccount/destinations', ''],
      ['GET', '/subaccount/destinations/:name', 'a'],
      ['PUT', '/subaccount/destinations/:name', 'a', draft],
      ['POST', '/subaccount/destinations/export', '', { format: 'json' }],
      [
        'POST',
        '/subaccount/destinations/import',
        '',
        { content: btoa(JSON.stringify(draft.properties)), existing: 'update', review: true },
      ],
      ['POST', '/subaccount/destinations/:name/check', 'a'],
      ['PUT', '/subaccount/destinations/:name/labels', 'a', [{ key: 'k', values: ['v'] }]],
      ['GET', '/subaccount/destinations/:name/labels', 'a'],
      ['POST', '/subaccount/certificates', '', { Name: 'c.pem', Attributes: {} }],
      ['POST', '/subaccount/certificates/:name/renew', 'c.pem'],
      ['GET', '/subaccount/certificates', ''],
      ['GET', '/subaccount/certificates/:name', 'c.pem'],
      ['GET', '/subaccount/encryption', ''],
      ['PUT', '/subaccount/encryption/customerKey', ''],
      ['POST', '/subaccount/encryption/customerKey/rotate', ''],
      ['DELETE', '/subaccount/encryption/customerKey', ''],
      ['DELETE', '/subaccount/destinations/:name', 'a'],
    ]
    for (const [method, path, name, body] of asked) {
      const answer = await running.administer(method, path.replace(/:\w+/, name), {
        token: running.token(),
        ...(body === undefined ? {} : { body }),
      })
      const route = administrationRoutes.find((known) => known.method === method && known.path === `/admin/v1${path}`)
      const described = route?.description.answers[answer.status]
      // What tells of several has no body for one.
      const fits = answer.text === '' ? method !== 'GET' : described?.body?.safeParse(answer.json).success
      expect({ method, path, status: answer.status, described: described !== undefined, fits }).toMatchObject({
        described: true,
        fits: true,
      })
    }
    const without = await startService()
    const document = (await (await fetch(`${without.url}/destination-configuration/docs/json`)).json()) as ApiDocument
    expect(Object.keys(document.paths).filter((path) => path.startsWith('/admin'))).toEqual([])
    await without.close()
  })
})

describe('its pages', () => {
  it('load everything from the service itself, without a token, and may load nothing else', async () => {
    const page = await read('docs/static/index.html').then(async (found) => (found.status === 200 ? found : read('docs')))
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toContain('text/html')
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')
    expect(links.length).toBeGreaterThan(3)
    const initializer = await read('docs/static/swagger-initializer.js')
    expect(initializer.text).toContain('"validatorUrl":null')
    expect(page.text).not.toMatch(/https?:\/\//)
    for (const link of links) {
      const asset = await read(new URL(link, 'http://x/destination-configuration/docs/').pathname)
      expect({ link, status: asset.status }).toEqual({ link, status: 200 })
    }
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/https?:|[*]|\.\w/)
  })
})
