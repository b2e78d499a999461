import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { createInstallation } from '../e2e/installation.ts'

/** What the administration answered. */
export interface AdministrationAnswer {
  readonly status: number
  readonly body: any
  readonly text: string
}

/** A cloud side and an administered connector, in processes of their own. A user may add connectors to each of its subaccounts. */
export interface TerraformWorld extends AsyncDisposable {
  readonly url: string
  /** PEM of the authority that the connector's certificate comes from. */
  readonly authority: string
  readonly user: string
  readonly password: string
  call(method: string, path: string, body?: unknown): Promise<AdministrationAnswer>
  authenticationData(subaccount: string): Promise<string>
}

/** `regionHosts` lead to the cloud side. */
export async function startTerraformWorld(given: {
  readonly regionHosts: readonly string[]
  readonly subaccounts: readonly string[]
  readonly cloudUser: { readonly name: string; readonly password: string }
}): Promise<TerraformWorld> {
  const installation = await createInstallation()
  const users = [{ ...given.cloudUser, groups: ['Subaccount Administrator'] }]
  writeFileSync(installation.file('cloud.yaml'), JSON.stringify({ subaccounts: given.subaccounts.map((id) => ({ id, users })) }))
  const offset = ['--port-offset', String(installation.portOffset)]
  for (const role of ['token-service', 'connectivity-proxy'])
    installation.start(['serve', role, '--config', installation.file('cloud.yaml'), ...offset])
  const premises = installation.file('premises')
  installation.start(['serve', 'connector', '--compat-default-password', ...offset], { data: premises })
  await Promise.all([installation.ready(3), installation.ready(1, { data: premises })])
  const authority = readFileSync(join(premises, 'ca.crt'), 'utf8')
  const send = callOn(installation.port('connectorAdmin'))
  const must = async (...words: Parameters<typeof send>): Promise<void> => {
    const { status, text } = await send(...words)
    if (status >= 400) throw new Error(`${words[0]} ${words[1]} was answered with ${status} ${text}`)
  }
  const password = 'changed'
  await must('PUT', '/api/v1/configuration/connector/authentication/basic', { oldPassword: 'manage', newPassword: password }, 'manage')
  await must('POST', '/api/v1/configuration/connector/haRole', 'master', password)
  const url = `https://localhost:${installation.port('connectivityApi')}`
  const cloudAuthority = readFileSync(join(installation.data, 'ca.crt'), 'utf8')
  for (const host of given.regionHosts)
    await must('POST', '/api/private/v1/regions', { name: host, host, url, authority: cloudAuthority }, password)
  return {
    url: `https://localhost:${installation.port('connectorAdmin')}`,
    authority,
    user: 'Administrator',
    password,
    call: (method, path, body) => send(method, path, body, password),
    async authenticationData(subaccount) {
      const words = ['connector', 'code', '--subaccount', subaccount, '--authentication-data']
      return (await installation.json<{ readonly authenticationData: string }>(words)).authenticationData
    },
    async [Symbol.asyncDispose]() {
      await installation.run(['stop'], { data: premises })
      await installation[Symbol.asyncDispose]()
    },
  }
}

function callOn(port: number) {
  return (method: string, path: string, body: unknown, password: string): Promise<AdministrationAnswer> =>
    new Promise((resolve, reject) => {
      const content = body === undefined ? {} : { 'content-type': 'application/json' }
      // The certificate of this page is one of the things that a configuration changes.
      const options = { rejectUnauthorized: false, auth: `Administrator:${password}`, agent: false, headers: content } as const
      const sent = request({ host: 'localhost', port, method, path, ...options }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => {
          const isJson = /json/.test(response.headers['content-type'] ?? '')
          resolve({ status: response.statusCode ?? 0, text, body: isJson && text !== '' ? JSON.parse(text) : undefined })
        })
      })
      sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
    })
}
