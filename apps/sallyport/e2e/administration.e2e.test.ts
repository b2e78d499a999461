import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createInstallation, type Installation } from './installation.ts'

let installation: Installation
beforeEach(async () => {
  installation = await createInstallation()
})
afterEach(() => installation[Symbol.asyncDispose]())

it('CC-001 CC-002 a connector on an empty folder answers HTTPS on its port, with a certificate of its own, to Administrator and manage', async () => {
  installation.start(['serve', 'connector', '--compat-default-password', '--port-offset', String(installation.portOffset)])
  await installation.ready(1)
  expect(installation.port('connectorAdmin') - installation.portOffset).toBe(8443)
  expect(await status('Administrator:Manage')).toBe(401)
  // The password is right, and has to be changed.
  expect(await status('Administrator:manage')).toBe(403)
})

it('whoever has forgotten the password gets a new one while the connector stands still', async () => {
  const words = ['serve', 'connector', '--port-offset', String(installation.portOffset)]
  const first = installation.start(words)
  await installation.ready(1)
  const before = initialPassword()
  expect((await installation.run(['--json', 'connector', 'user', 'reset'])).code).toBe(1)
  await installation.run(['stop'])
  if (first.exitCode === null) await once(first, 'exit')
  // A mistyped folder does not become an installation.
  const mistyped = join(installation.data, 'mistyped')
  for (const command of [
    ['user', 'reset'],
    ['change-role', 'master'],
  ])
    expect(await installation.run(['--data', mistyped, 'connector', ...command])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no connector in'),
    })
  expect(existsSync(mistyped)).toBe(false)
  expect((await installation.run(['connector', 'user', 'reset'])).stdout).toContain('initial-password')
  installation.start(words)
  await installation.ready(1)
  expect(initialPassword()).not.toBe(before)
  expect(await status(`Administrator:${before}`)).toBe(401)
  expect(await status(`Administrator:${initialPassword()}`)).toBe(403)
})

const initialPassword = (): string => readFileSync(join(installation.data, 'connector', 'initial-password'), 'utf8').trim()

function status(auth: string): Promise<number> {
  const ca = readFileSync(join(installation.data, 'ca.crt'))
  return new Promise((resolve, reject) => {
    const path = '/api/v1/configuration/connector'
    const sent = request({ host: 'localhost', port: installation.port('connectorAdmin'), path, ca, auth, agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    sent.on('error', reject).end()
  })
}
