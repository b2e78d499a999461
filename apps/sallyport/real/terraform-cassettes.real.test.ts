import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { differencesOf, readCassette, type RecordedCall } from './cassette.ts'
import { givenState } from './given-state.ts'
import { startTerraformWorld, type TerraformWorld } from './terraform-world.ts'

/** Traffic between the provider and the original, as the provider's repository keeps it: a folder with cassettes at any depth. */
const folder = process.env['TERRAFORM_PROVIDER_SCC_CASSETTES'] ?? ''
const skipped = !existsSync(folder)
if (skipped)
  process.stderr.write(
    '\n*** SKIPPED against the real world: TERRAFORM_PROVIDER_SCC_CASSETTES names no folder of recorded traffic (docs/terraform.md) ***\n',
  )

/** What was blotted out when the traffic was recorded has to be something that a connector takes. */
const readable = {
  REDACTED_K8S_CLUSTER_HOST: 'cluster.example',
  REDACTED_K8S_SERVICE_ID: '0b1c2d3e-0000-4000-8000-000000000001',
  REDACTED_ABAP_CLOUD_TENANT_HOST: 'tenant.abap.example',
}
const user = { name: 'cloud-user@example.com', password: 'REDACTED_CLOUD_PASSWORD' }
const blottedAuthenticationData = 'REDACTED_SUBACCOUNT_AUTHENTICATION_DATA'
const cassettes = skipped ? [] : globSync('**/*.yaml', { cwd: folder }).toSorted()
const recorded = new Map(cassettes.map((name) => [name, readCassette(join(folder, name), readable)]))
const regionHosts = ['cf.eu12.hana.ondemand.com', 'cf.us10.hana.ondemand.com']

/** Of these only the type can be the same: times, numbers given in order, and what was blotted out. */
const free = new Set(
  'connectedSinceTimeStamp notAfterTimeStamp notBeforeTimeStamp creationDate id alias version subjectDN issuer serialNumber user openedConnections'.split(
    ' ',
  ),
)

/** A refusal names the time; ours has the reason behind it. */
const timeless = (body: any): any =>
  typeof body?.message === 'string' ? { ...body, message: body.message.replace(/(logged on or around ).*/, '$1') } : body

const cfg = '/api/v1/configuration'
let world: TerraformWorld
beforeAll(async () => {
  if (skipped) return
  const ids = [...new Set(JSON.stringify([...recorded.values()]).match(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g))]
  // Authentication data brings the name along that the subaccount has in the cloud.
  const named = [...recorded.values()].flat().filter(({ sent }) => sent?.authenticationData !== undefined && sent.displayName === '')
  const subaccounts = ids.map((id) => ({ id, subdomain: named.find(({ answer }) => answer.subaccount === id)?.answer.displayName }))
  world = await startTerraformWorld({ regionHosts, subaccounts, cloudUser: user })
  // Every recording that looks sees one trusted certificate.
  const trusted = new FormData()
  trusted.append('certificates', new Blob([createTestCa().certificate]), 'trusted.pem')
  await must('POST', `${cfg}/connector/onPremises/truststore/certificates`, trusted)
}, 90_000)
afterAll(() => world?.[Symbol.asyncDispose]())

async function must(method: string, path: string, body?: object): Promise<any> {
  const answer = await world.call(method, path, body)
  if (answer.status >= 400) throw new Error(`${method} ${path} was answered with ${answer.status} ${answer.text}`)
  return answer.body
}

/**
 * A connector with nothing in it but what the recording takes for granted. Subaccounts stay as far as that is possible, because the cloud side admits only so
 * many connectors in a minute. Returns numbers of the original with ours.
 */
async function begin(calls: readonly RecordedCall[]): Promise<Map<string, string>> {
  const given = givenState(calls, user)
  const isOnlyThis = calls.some(({ method, path }) => method === 'GET' && path === `${cfg}/subaccounts`)
  const isThere: string[] = []
  for (const { regionHost, subaccount } of await must('GET', `${cfg}/subaccounts`)) {
    const path = `${cfg}/subaccounts/${regionHost}/${subaccount}`
    if (isOnlyThis || calls.some((call) => call.method === 'POST' && call.answer?.subaccount === subaccount)) await must('DELETE', path)
    else {
      isThere.push(subaccount)
      await empty(path)
    }
  }
  await world.call('DELETE', `${cfg}/connector/proxy`)
  const numbers = new Map<string, string>()
  for (const { body, method, number, path, subaccount } of given) {
    if (subaccount && isThere.includes((body as { readonly subaccount: string }).subaccount)) {
      const { description, displayName, regionHost, subaccount: id } = body as Record<string, string>
      await must('PUT', `${path}/${regionHost}/${id}`, { description: description ?? '', displayName: displayName ?? '', locationID: '' })
    } else await must(method, path, body)
    if (number !== undefined) numbers.set(String(number), String((await must('GET', path)).at(-1).id))
  }
  for (const name of ['systemCertificate', 'ppCaCertificate'])
    await must('POST', `${cfg}/connector/onPremises/${name}`, { type: 'selfsigned', keySize: 2048, subjectDN: 'CN=given' })
  return numbers
}

async function empty(subaccount: string): Promise<void> {
  for (const { virtualHost, virtualPort } of await must('GET', `${subaccount}/systemMappings`))
    await must('DELETE', `${subaccount}/systemMappings/${virtualHost}:${virtualPort}`)
  for (const { internalDomain } of await must('GET', `${subaccount}/domainMappings`))
    await must('DELETE', `${subaccount}/domainMappings/${internalDomain}`)
  for (const type of ['ABAPCloud', 'ABAPCloudSNC', 'K8S'])
    for (const { id } of await must('GET', `${subaccount}/channels/${type}`)) await must('DELETE', `${subaccount}/channels/${type}/${id}`)
}

describe.skipIf(skipped)('recorded traffic of the Terraform provider', () => {
  it.each(cassettes)('%s is answered as it was by the original', async (name) => {
    const calls = recorded.get(name) ?? []
    const numbers = await begin(calls)
    const found: string[] = []
    for (const { accept, answer, method, path, sent, status } of calls) {
      const ownPath = path.replace(
        /(\/channels\/[^/]+)\/(\d+)/,
        (_, collection: string, id: string) => `${collection}/${numbers.get(id) ?? id}`,
      )
      const ours = await world.call(method, ownPath, await withAuthenticationData(sent, answer), accept)
      const differences =
        ours.status === status
          ? differencesOf(timeless(answer), timeless(ours.body), free)
          : [`the status is ${ours.status}, not ${status}: ${ours.text}`]
      found.push(...differences.map((difference) => `${method} ${path}: ${difference}`))
      for (const [at, each] of [answer].flat().entries())
        if (typeof each?.id === 'number') numbers.set(String(each.id), String([ours.body].flat()[at]?.id))
    }
    expect([...new Set(found)]).toEqual([])
  })
})

async function withAuthenticationData(sent: any, answer: any): Promise<any> {
  if (sent?.authenticationData !== blottedAuthenticationData) return sent
  return {
    ...sent,
    authenticationData: await world.authenticationData(answer.subaccount, answer.regionHost),
  }
}
