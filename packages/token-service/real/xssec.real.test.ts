import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claimsOf, ids, secrets, startService, testCa } from '../conformance/running-service.ts'

interface Outcome {
  readonly value?: any
  readonly error?: string
  readonly status?: number
  readonly text?: string
}

const installed = isInstalled('@sap/xssec')
if (!installed && process.env['REQUIRE_REAL'] === '1') throw new Error('@sap/xssec is not installed, and REQUIRE_REAL=1 wants it')

describe.skipIf(!installed)(`the official library @sap/xssec${installed ? '' : ' (skipped: not installed)'}`, () => {
  const identity = testCa.issue({ subject: '/O=Acme/CN=mutual', names: [] })
  let folder: string
  let outcomes: Readonly<Record<string, Outcome>>

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'token-service-real-'))
    writeFileSync(join(folder, 'ca.pem'), testCa.certificate)
    await using running = await startService({
      trustClientCa: true,
      moreClients: [
        { id: 'sb-mutual!t1', tenant: ids.tenant, certificates: [{ subject: 'CN=mutual,O=Acme', issuer: 'CN=Test CA,O=Test' }] },
      ],
    })
    const url = `https://127.0.0.1:${running.https.port}`
    const uaadomain = running.service.uaaDomain()
    const settings = {
      credentials: { clientid: ids.app, clientsecret: secrets.app, xsappname: 'app!t1', url, uaadomain },
      destination: {
        clientid: ids.destination,
        clientsecret: secrets.destination,
        xsappname: 'clone1!b1|destination-xsappname!b1',
        url: `http://127.0.0.1:${running.http.port}`,
        uaadomain,
      },
      certificate: {
        clientid: 'sb-mutual!t1',
        certificate: identity.certificate,
        key: identity.key,
        certurl: url,
        url,
        uaadomain,
        xsappname: 'mutual!t1',
      },
      other: { clientid: 'sb-other!t1', clientsecret: 'x', xsappname: 'other!t1', url, uaadomain },
      identity: { clientid: ids.app, clientsecret: secrets.app, url, domains: [`127.0.0.1:${running.https.port}`], app_tid: ids.tenant },
      user: { name: 'jane@acme.test', password: 'correct horse', zid: ids.tenant },
    }
    outcomes = await runClient(settings, join(folder, 'ca.pem'))
  }, 60_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('fetches technical tokens, for a tenant over https with x-zid, and twenty at once within its two seconds', () => {
    expect(claimsOf(outcomes['technical']?.value.access_token)).toMatchObject({ cid: ids.app, zid: ids.tenant })
    expect(claimsOf(outcomes['technicalOfTenant']?.value.access_token)).toMatchObject({ az_attr: { level: '3' } })
    expect(outcomes['manyAtOnce']).toEqual({ value: 20 })
  })

  it('is told of an unknown tenant and a wrong password in JSON', () => {
    expect(outcomes['technicalOfUnknownTenant']).toMatchObject({
      status: 404,
      text: expect.stringMatching(/^\{"error":"tenant_not_found"/),
    })
    expect(outcomes['wrongPassword']).toMatchObject({ status: 401, text: '{"error":"unauthorized","error_description":"Bad credentials"}' })
  })

  it('validates a user token with the key set over https, and reads user, scopes and attributes', () => {
    expect(outcomes['userContext']).toEqual({
      value: {
        userName: 'Jane@acme.test',
        email: 'Jane@acme.test',
        givenName: 'Jane',
        subdomain: null,
        zone: ids.tenant,
        clientId: ids.app,
        display: true,
        admin: false,
        country: ['DE'],
      },
    })
    expect(outcomes['technicalContext']).toEqual({ value: { level: '3' } })
  })

  it('refuses a changed token and one for another application', () => {
    expect(outcomes['changedToken']?.error).toBe('InvalidTokenSignatureError')
    expect(outcomes['foreignAudience']?.error).toBe('WrongAudienceError')
  })

  it('exchanges a user token for the destination client, and validates the result as that client', () => {
    expect(claimsOf(outcomes['exchange']?.value.access_token)).toMatchObject({ cid: ids.destination, user_name: 'Jane@acme.test' })
    expect(outcomes['exchangedContext']?.value).toMatchObject({ userName: 'Jane@acme.test', clientId: ids.destination })
  })

  it('logs on with a TLS client certificate at certurl and at the uaadomain', () => {
    for (const outcome of [outcomes['certificate'], outcomes['certificateOfTenant']]) {
      expect(claimsOf(outcome?.value.access_token)).toMatchObject({
        cid: 'sb-mutual!t1',
        grant_type: 'client_x509',
        cnf: { 'x5t#S256': expect.any(String) },
      })
    }
  })

  it('finds the endpoints by discovery, as it does for identity bindings', () => {
    expect(outcomes['discovery']?.value).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/oauth\/token$/)
    expect(claimsOf(outcomes['oidcTechnical']?.value?.access_token)).toMatchObject({ cid: ids.app })
  })
})

async function runClient(settings: unknown, caFile: string): Promise<Readonly<Record<string, Outcome>>> {
  const script = fileURLToPath(new URL('xssec-calls.mjs', import.meta.url))
  const child = spawn(process.execPath, [script], { env: { NODE_EXTRA_CA_CERTS: caFile }, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(JSON.stringify(settings))
  const [output, problems, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ])
  if (code !== 0) throw new Error(`the client ended with ${code}: ${problems}`)
  return JSON.parse(output.slice(output.lastIndexOf('\n') + 1)) as Readonly<Record<string, Outcome>>
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name)
    return true
  } catch {
    return false
  }
}
