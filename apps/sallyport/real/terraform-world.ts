import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
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
  /** Sends JSON, or a form. */
  call(method: string, path: string, body?: unknown, accept?: string): Promise<AdministrationAnswer>
  /** What `sallyport connector code` writes, for another region when told. */
  authenticationData(subaccount: string, regionHost?: string): Promise<string>
}

/** `regionHosts` lead to the cloud side. */
export async function startTerraformWorld(given: {
  readonly regionHosts: readonly string[]
  readonly subaccounts: readonly { readonly id: string; readonly subdomain?: string | undefined }[]
  readonly cloudUser: { readonly name: string; readonly password: string }
  /** Service of a Kubernetes cluster that the first subaccount may reach. It is one of the installation's own ports. */
  readonly service?: { readonly cluster: string; readonly id: string }
}): Promise<TerraformWorld> {
  const installation = await createInstallation()
  const users = [{ ...given.cloudUser, groups: ['Subaccount Administrator'] }]
  const { service } = given
  const mappings = given.subaccounts.slice(0, 1).map(({ id }) => ({
    type: 'TCP',
    subaccountId: id,
    serviceId: service?.id,
    internalAddress: `127.0.0.1:${installation.port('connectivityApi')}`,
  }))
  writeFileSync(
    installation.file('cloud.yaml'),
    JSON.stringify({
      subaccounts: given.subaccounts.map((subaccount) => ({ ...subaccount, users })),
      ...(service === undefined ? {} : { server: { serviceChannels: { clusterHosts: [service.cluster], mappings } } }),
    }),
  )
  const offset = ['--port-offset', String(installation.portOffset)]
  for (const role of ['token-service', 'connectivity-proxy'])
    installation.start(['serve', role, '--config', installation.file('cloud.yaml'), ...offset])
  const premises = installation.file('premises')
  installation.start(['serve', 'connector', '--compat-default-password', ...offset], { data: premises })
  await Promise.all([installation.ready(3), installation.ready(1, { data: premises })])
  const authority = readFileSync(join(premises, 'ca.crt'), 'utf8')
  const send = callOn(installation.port('connectorAdmin'))
  const must = async (...words: Parameters<typeof send>): Promise<void> => {
    const answer = await send(...words)
    if (answer.status >= 400) throw new Error(`${words[0]} ${words[1]} was answered with ${answer.status} ${answer.text}`)
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
    call: (method, path, body, accept) => send(method, path, body, password, accept),
    async authenticationData(subaccount, regionHost) {
      const words = ['connector', 'code', '--subaccount', subaccount, '--authentication-data']
      const { authenticationData } = await installation.json<{ readonly authenticationData: string }>(words)
      return regionHost === undefined ? authenticationData : inRegion(authenticationData, regionHost)
    },
    async [Symbol.asyncDispose]() {
      await installation.run(['stop'], { data: premises })
      await installation[Symbol.asyncDispose]()
    },
  }
}

function callOn(port: number) {
  return async (method: string, path: string, body: unknown, password: string, accept = '*/*'): Promise<AdministrationAnswer> => {
    const form = body instanceof FormData ? new Response(body) : undefined
    const type = form === undefined ? 'application/json' : String(form.headers.get('content-type'))
    const content = form === undefined ? JSON.stringify(body) : Buffer.from(await form.arrayBuffer())
    // The certificate of this page is one of the things that a configuration changes.
    const options = { rejectUnauthorized: false, auth: `Administrator:${password}`, agent: false } as const
    const headers = { accept, ...(content === undefined ? {} : { 'content-type': type }) }
    const sent = request({ host: 'localhost', port, method, path, headers, ...options }).end(content)
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    const received = await text(response)
    const isJson = /json/.test(response.headers['content-type'] ?? '') && received !== ''
    return { status: response.statusCode ?? 0, text: received, body: isJson ? JSON.parse(received) : undefined }
  }
}

/** Authentication data is base64url of JSON. */
function inRegion(authenticationData: string, regionHost: string): string {
  const read = JSON.parse(Buffer.from(authenticationData, 'base64url').toString()) as object
  return Buffer.from(JSON.stringify({ ...read, regionHost })).toString('base64url')
}
