import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createInstallation, type Installation } from './installation.ts'

let installation: Installation
beforeEach(async () => {
  installation = await createInstallation()
})
afterEach(() => installation[Symbol.asyncDispose]())

const subaccounts = '/api/v1/configuration/subaccounts'

it('CC-016 CC-020 an administered connector is added by a user of the subaccount, and by what "connector code" writes', async () => {
  writeFileSync(
    installation.file('cloud.yaml'),
    JSON.stringify({
      subaccounts: [
        {
          id: 'acme',
          users: [
            { name: 'jane', password: 'pw', groups: ['Subaccount Administrator'] },
            { name: 'joe', password: 'pw' },
          ],
        },
        { id: 'other' },
      ],
    }),
  )
  const offset = ['--port-offset', String(installation.portOffset)]
  for (const role of ['token-service', 'connectivity-proxy'])
    installation.start(['serve', role, '--config', installation.file('cloud.yaml'), ...offset])
  const premises = installation.file('premises')
  installation.start(['serve', 'connector', '--compat-default-password', ...offset], { data: premises })
  await installation.ready(3)
  await installation.ready(1, { data: premises })
  const call = caller(join(premises, 'ca.crt'))
  const password = { oldPassword: 'manage', newPassword: 'changed' }
  expect(await call('PUT', '/api/v1/configuration/connector/authentication/basic', password, 'manage')).toMatchObject({ status: 204 })
  expect(await call('POST', '/api/v1/configuration/connector/haRole', 'master')).toMatchObject({ status: 204 })

  const url = `https://localhost:${installation.port('connectivityApi')}`
  const authority = readFileSync(join(installation.data, 'ca.crt'), 'utf8')
  expect(await call('POST', '/api/private/v1/regions', { name: 'Own', host: 'cf.own.example', url, authority })).toMatchObject({
    status: 201,
  })
  const byUser = { regionHost: 'cf.own.example', subaccount: 'acme', cloudUser: 'jane', cloudPassword: 'pw' }
  for (const [wrong, reason] of [
    [{ cloudPassword: 'guess' }, 'belong together'],
    [{ cloudUser: 'joe' }, 'may not add connectors'],
    [{ subaccount: 'nobody' }, 'belong together'],
    [{ subaccount: 'other' }, 'belong together'],
  ] as const) {
    const refused = await call('POST', subaccounts, { ...byUser, ...wrong })
    expect([refused.status, refused.body]).toEqual([400, { type: 'INVALID_REQUEST', message: expect.stringContaining(reason) }])
  }
  expect(await call('POST', subaccounts, byUser)).toMatchObject({ status: 201, body: { tunnel: { state: 'Connected', user: 'jane' } } })

  const { authenticationData } = await installation.json<{ readonly authenticationData: string }>([
    'connector',
    'code',
    '--subaccount',
    'other',
    '--authentication-data',
  ])
  expect(await call('POST', subaccounts, { authenticationData })).toMatchObject({
    status: 201,
    body: { regionHost: 'localhost', subaccount: 'other', tunnel: { state: 'Connected' } },
  })
})

function caller(authority: string) {
  return (method: string, path: string, body: unknown, password = 'changed'): Promise<{ readonly status: number; readonly body: any }> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          host: 'localhost',
          port: installation.port('connectorAdmin'),
          method,
          path,
          ca: readFileSync(authority),
          auth: `Administrator:${password}`,
          agent: false,
          headers: { 'content-type': 'application/json' },
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) }))
        },
      )
      sent.on('error', reject).end(JSON.stringify(body))
    })
}
