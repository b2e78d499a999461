import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { authorizePath, type Browser, callback, createBrowser, html, locationOf, unescapeHtml } from './browser.ts'
import { ids, type RunningService, startService, tenantHosts } from './running-service.ts'

const challenge = createHash('sha256').update('a verifier').digest('base64url')

let running: RunningService
beforeAll(async () => {
  running = await startService()
})
afterAll(async () => running.service.close())

describe('log-on page', () => {
  it('CL-072 is plain HTML that works without script, and its cookies are for the token server alone', async () => {
    const browser = createBrowser(running)
    const page = await browser.authorize({ state: 's-1' })
    expect(page.status).toBe(200)
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(page.text).toMatch(/<form method="post"/)
    expect(page.text).not.toMatch(/<script|javascript:|\son\w+=/i)
    const answer = await browser.submit(page, { username: 'jane@acme.test', password: 'correct horse' })
    expect(answer.status).toBe(303)
    const cookies = [...(page.headers['set-cookie'] ?? []), ...(answer.headers['set-cookie'] ?? [])]
    expect(cookies.map((line) => line.split('=')[0])).toEqual(['__Host-sallyport-form', '__Host-sallyport-session'])
    for (const line of cookies) {
      expect(line).toMatch(/; Path=\/(;|$)/)
      expect(line).toMatch(/; HttpOnly/)
      expect(line).toMatch(/; Secure/)
      expect(line).toMatch(/; SameSite=(Lax|Strict)/)
      expect(line).not.toMatch(/Domain/i)
    }
  })

  it('cannot be framed, run script or send its form elsewhere', async () => {
    const { headers } = await createBrowser(running).authorize()
    expect(headers['content-security-policy']).toMatch(
      /default-src 'none'.*form-action 'self' https:\/\/portal\.apps\.test; frame-ancestors 'none'; base-uri 'none'/,
    )
    expect(headers).toMatchObject({
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    })
  })

  it('shows what was typed as text', async () => {
    const browser = createBrowser(running)
    const name = `"><script>alert(1)</script>'&`
    const page = await browser.submit(await browser.authorize({ state: name }), { username: name, password: 'x' })
    expect(page.status).toBe(401)
    expect(page.text).not.toContain('<script>')
    expect(page.text).toContain('value="&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;&#39;&#38;"')
    expect(page.text).toMatch(/role="alert">User name or password is wrong\./)
  })

  it.each([
    ['without the cookie', (browser: Browser) => browser.jar.clear(), {}],
    ['with another value of the cookie', (browser: Browser) => browser.jar.set('__Host-sallyport-form', 'A'.repeat(43)), {}],
    ['from another site, as the browser says', () => {}, { 'sec-fetch-site': 'cross-site' }],
    ['from a sister site', () => {}, { 'sec-fetch-site': 'same-site' }],
    ['with a foreign Origin', () => {}, { origin: 'https://evil.test' }],
    ['with the Origin null', () => {}, { origin: 'null' }],
  ])('takes no form %s', async (_, tamper, headers) => {
    const browser = createBrowser(running)
    const page = await browser.authorize()
    tamper(browser)
    const answer = await browser.submit(page, { username: 'jane@acme.test', password: 'correct horse' }, headers)
    expect(answer.status).toBe(403)
    expect(answer.headers.location).toBeUndefined()
    expect(browser.jar.has('__Host-sallyport-session')).toBe(false)
    // The page that comes with the refusal works.
    const again = await browser.submit(
      answer,
      { username: 'jane@acme.test', password: 'correct horse' },
      { origin: `https://localhost:${running.https.port}`, 'sec-fetch-site': 'same-origin' },
    )
    expect(again.status).toBe(303)
  })

  it('limits the attempts of an address over all names', async () => {
    await using service = await startService()
    const browser = createBrowser(service)
    let page = await browser.authorize()
    // An empty password costs no time to refuse; names differ, so that only the address counts.
    const statuses: number[] = []
    for (let attempt = 0; attempt < 101; attempt++) {
      page = await browser.submit(page, { username: `name-${attempt}`, password: 'x'.repeat(600) })
      statuses.push(page.status)
    }
    expect(statuses.slice(0, 100).every((status) => status === 401)).toBe(true)
    expect(statuses[100]).toBe(429)
    expect(page.text).toMatch(/Too many failed log-ons/)
  })
})

describe('redirects', () => {
  it('CL-071 return state unchanged, and only to targets that fit the patterns of the client, at log-on and at log-off', async () => {
    const state = 'a b+c%2Fd&e=ä"\u{1F600}'
    const answer = await createBrowser(running).logOn({ state })
    const location = locationOf(answer)
    expect(`${location.origin}${location.pathname}`).toBe('https://portal.apps.test/login/callback')
    expect([...location.searchParams.keys()]).toEqual(['authType', 'code', 'state'])
    expect(location.searchParams.get('state')).toBe(state)

    for (const target of [
      'https://evil.test/',
      'https://apps.test/login',
      'https://a.b.apps.test/x',
      'https://portal.apps.test.evil.test/',
      'https://portal.apps.test@evil.test/',
      'http://portal.apps.test/',
      'javascript:alert(1)',
      '//evil.test',
      '',
      'https://portal.apps.test/x#fragment',
    ]) {
      const refused = await createBrowser(running).authorize({ redirect_uri: target })
      expect([target, refused.status, refused.headers.location]).toEqual([target, 400, undefined])
      const loggedOff = await createBrowser(running).visit({
        path: `/logout.do?${new URLSearchParams({ client_id: ids.app, redirect: target })}`,
      })
      expect([target, loggedOff.status, loggedOff.headers.location]).toEqual([target, 200, undefined])
    }
    const out = await createBrowser(running).visit({
      path: `/logout.do?${new URLSearchParams({ client_id: ids.app, redirect: 'https://portal.apps.test/bye?x=1' })}`,
    })
    expect([out.status, out.headers.location]).toEqual([302, 'https://portal.apps.test/bye?x=1'])
    const local = await createBrowser(running).authorize({ redirect_uri: 'http://localhost:5000/login/callback' })
    expect(local.status).toBe(200)
  })

  it('tell the application what was wrong, with its state', async () => {
    for (const [parameters, error] of [
      [{ response_type: 'token' }, 'unsupported_response_type'],
      [{ code_challenge: challenge, code_challenge_method: 'plain' }, 'invalid_request'],
      [{ code_challenge: challenge }, 'invalid_request'],
      [{ code_challenge: 'short', code_challenge_method: 'S256' }, 'invalid_request'],
      [{ code_challenge_method: 'S256' }, 'invalid_request'],
    ] as const) {
      const answer = await createBrowser(running).authorize({ state: 's', ...parameters })
      expect(answer.status).toBe(302)
      expect(Object.fromEntries(locationOf(answer).searchParams)).toMatchObject({
        error,
        state: 's',
        error_description: expect.any(String),
      })
    }
  })

  it('answer programs in JSON and browsers with a page when nobody can be told', async () => {
    const path = authorizePath({ client_id: 'unknown' })
    const page = await running.call({ path, headers: html })
    expect([page.status, page.headers['content-type']]).toEqual([400, 'text/html; charset=utf-8'])
    expect((await running.call({ path })).json()).toEqual({ error: 'unauthorized_client', error_description: expect.any(String) })
  })
})

describe('sessions', () => {
  it('CL-074 last until log-off; afterwards the form is shown again, also for the old cookie', async () => {
    const browser = createBrowser(running)
    await browser.logOn()
    expect((await browser.authorize()).status).toBe(302)
    const stolen = new Map(browser.jar)
    const answer = await browser.visit({ path: `/logout.do?${new URLSearchParams({ redirect: callback, client_id: ids.app })}` })
    expect([answer.status, answer.headers.location]).toEqual([302, callback])
    expect(browser.jar.has('__Host-sallyport-session')).toBe(false)
    expect((await browser.authorize()).text).toMatch(/<form/)
    for (const [name, value] of stolen) browser.jar.set(name, value)
    expect((await browser.authorize()).text).toMatch(/<form/)
  })

  it('end by themselves', async () => {
    await using service = await startService()
    const browser = createBrowser(service)
    await browser.logOn()
    service.clock.advance(8 * 3_600_000)
    expect((await browser.authorize()).text).toMatch(/<form/)
  })

  it('belong to one tenant', async () => {
    await using service = await startService({ address: tenantHosts })
    const browser = createBrowser(service)
    const page = await browser.visit({ path: authorizePath({}), host: 'acme.authentication.example.test' })
    const action = unescapeHtml(/action="([^"]*)"/.exec(page.text)?.[1] ?? '')
    const form_token = /name="form_token" value="([^"]*)"/.exec(page.text)?.[1] ?? ''
    const loggedOn = await browser.visit({
      method: 'POST',
      path: action,
      host: 'acme.authentication.example.test',
      body: { form_token, username: 'root', password: 'battery staple' },
    })
    expect(loggedOn.status).toBe(303)
    expect((await browser.visit({ path: authorizePath({}), host: 'acme.authentication.example.test' })).status).toBe(302)
    expect((await browser.visit({ path: authorizePath({}), host: 'buyer.authentication.example.test' })).text).toMatch(/<form/)
    expect((await browser.visit({ path: authorizePath({}), host: 'stranger.authentication.example.test' })).status).toBe(401)
  })

  it('begun over plain http are worth nothing over https', async () => {
    const plain = createBrowser(running, { plain: true, host: 'localhost' })
    await plain.logOn()
    expect((await plain.authorize()).status).toBe(302)
    const cookie = `__Host-sallyport-session=${plain.jar.get('sallyport-session')}`
    const answer = await running.call({ path: authorizePath({}), headers: { ...html, cookie } })
    expect(answer.text).toMatch(/<form/)
  })

  it('get a new id at every log-on', async () => {
    const browser = createBrowser(running)
    browser.jar.set('__Host-sallyport-session', 'A'.repeat(43))
    await browser.logOn()
    expect(browser.jar.get('__Host-sallyport-session')).not.toBe('A'.repeat(43))
  })
})
