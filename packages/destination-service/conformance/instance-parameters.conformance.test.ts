import type { AuditEntry } from '@sallyport/core'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EntityRepository } from '../src/index.ts'
import { createConnectionChecker } from '../src/index.ts'
import { type Answered, instanceId, otherInstanceId, type RunningService, startService } from './running-service.ts'

const connections = createConnectionChecker({ privateAddresses: 'refuse' })
const destination = (name: string, url = 'https://x.example') => ({ Name: name, Type: 'HTTP', URL: url })
const ca = createTestCa()
const certificate = (name: string, pem = ca.certificate) => ({ Name: name, Content: Buffer.from(pem).toString('base64') })
const other = ca.issue({ subject: '/CN=other' }).certificate
const failure = 'Failed to create all provided configurations. Will delete all on instance level, '

let running: RunningService
let audited: AuditEntry[]
/** What the store does instead, once. */
let disturb: ((kind: string, instance: string | null) => void) | undefined

beforeEach(async () => {
  disturb = undefined
  audited = []
  const audit = { failing: false, write: (entry: AuditEntry) => void audited.push(entry), flushed: () => Promise.resolve() }
  running = await startService({ connections, perSubaccount: 6, wrapRepository: disturbing, audit })
})
afterEach(() => running.close())

function disturbing(repository: EntityRepository): EntityRepository {
  return {
    ...repository,
    create(kind, level, writes, options) {
      disturb?.(kind, level.instanceId)
      return repository.create(kind, level, writes, options)
    },
  }
}

const apply = (body: unknown, instance = instanceId): Promise<Answered> =>
  running.administer('PUT', `/instances/${instance}/parameters`, { body })
const names = async (collection: string): Promise<readonly string[]> =>
  ((await running.call('GET', `/v1/${collection}?$select=Name`)).json as readonly { readonly Name: string }[]).map(({ Name }) => Name)
const urlOf = async (collection: string, name: string): Promise<unknown> =>
  ((await running.call('GET', `/v1/${collection}/${name}`)).json as { readonly URL: unknown }).URL

describe('parameters of an instance', () => {
  it('DS-133 creates what does not exist, on both levels', async () => {
    const init_data = {
      subaccount: { destinations: [destination('s')], certificates: [certificate('s.pem')] },
      instance: { destinations: [destination('i'), destination('j')], certificates: [certificate('i.crt')] },
    }
    expect((await apply({ HTML5Runtime_enabled: true, version: '1.0.0', init_data })).json).toEqual({ created: 5, replaced: 0, kept: 0 })
    expect(await names('subaccountDestinations')).toEqual(['s'])
    expect(await names('instanceDestinations')).toEqual(['i', 'j'])
    expect(await names('subaccountCertificates')).toEqual(['s.pem'])
    expect(await names('instanceCertificates')).toEqual(['i.crt'])
    expect((await running.administer('GET', `/instances/${instanceId}/settings`)).json).toMatchObject({ html5RuntimeEnabled: true })
  })

  describe.each([
    ['subaccount', 'subaccountDestinations'],
    ['instance', 'instanceDestinations'],
  ])('DS-133 what exists on the level of the %s', (level, collection) => {
    beforeEach(() => running.call('POST', `/v1/${collection}`, { body: destination('known', 'https://old.example') }))
    const given = (policy?: string) => ({
      init_data: {
        [level]: {
          ...(policy === undefined ? {} : { existing_destinations_policy: policy }),
          destinations: [destination('known', 'https://new.example'), destination('new')],
        },
      },
    })

    it.each([undefined, 'fail'])('makes everything fail with the policy %s', async (policy) => {
      const answer = await apply(given(policy))
      expect(answer.status).toBe(409)
      expect(answer.json).toEqual({ ErrorMessage: `${failure}because the destination 'known' exists already in the ${level}.` })
      expect(await names(collection)).toEqual(['known'])
    })

    it('stays as it is with the policy ignore', async () => {
      expect((await apply(given('ignore'))).json).toEqual({ created: 1, replaced: 0, kept: 1 })
      expect(await urlOf(collection, 'known')).toBe('https://old.example')
    })

    it('is replaced with the policy update', async () => {
      expect((await apply(given('update'))).json).toEqual({ created: 1, replaced: 1, kept: 0 })
      expect(await urlOf(collection, 'known')).toBe('https://new.example')
    })

    it('is never deleted', async () => {
      await apply({ init_data: { [level]: { existing_destinations_policy: 'update', destinations: [] } } })
      expect(await names(collection)).toEqual(['known'])
    })
  })

  it('has a policy of its own for certificates', async () => {
    await running.call('POST', '/v1/instanceCertificates', { body: certificate('c.pem') })
    const given = (policy: string) => ({
      init_data: {
        instance: { existing_certificates_policy: policy, certificates: [certificate('c.pem', other)], destinations: [destination('d')] },
      },
    })
    expect((await apply(given('fail'))).status).toBe(409)
    expect(await names('instanceDestinations')).toEqual([])
    expect((await apply(given('update'))).json).toEqual({ created: 1, replaced: 1, kept: 0 })
    expect((await running.call('GET', '/v1/instanceCertificates/c.pem')).json).toMatchObject(certificate('c.pem', other))
  })

  it('DS-133 a failure half-way removes what was created for the instance, and what was replaced is as before', async () => {
    await running.call('POST', '/v1/instanceDestinations', { body: destination('known', 'https://old.example') })
    const init_data = {
      instance: {
        existing_destinations_policy: 'update',
        destinations: [destination('known', 'https://new.example'), destination('i')],
        certificates: [certificate('i.pem')],
      },
      // The subaccount has room for six destinations.
      subaccount: { destinations: Array.from({ length: 6 }, (_, at) => destination(`s${at}`)) },
    }
    const answer = await apply({ init_data, subscriber_access: { destination: { read_scopes: ['x'] } } })
    expect(answer.status).toBe(400)
    expect(answer.json).toEqual({ ErrorMessage: `${failure}because the subaccount has room for 6 destinations only.` })
    expect(await names('instanceDestinations')).toEqual(['known'])
    expect(await urlOf('instanceDestinations', 'known')).toBe('https://old.example')
    expect(await names('instanceCertificates')).toEqual([])
    expect((await running.administer('GET', `/instances/${instanceId}/settings`)).json).toMatchObject({
      subscriberAccess: { destinations: { read: [] } },
    })
  })

  it('audits what the subaccount keeps of parameters that failed half-way', async () => {
    const init_data = { subaccount: { destinations: Array.from({ length: 7 }, (_, at) => destination(`s${at}`)) } }
    expect((await apply({ init_data })).status).toBe(400)
    const kept = await names('subaccountDestinations')
    expect(kept).toHaveLength(6)
    expect(audited.map(({ message }) => message)).toEqual(kept.map((name) => `destination ${name} created`))
  })

  it('DS-133 a store that fails half-way leaves nothing of the instance either', async () => {
    disturb = (kind, instance) => {
      if (kind === 'destination' && instance === null) throw new Error('disk full')
    }
    const init_data = { instance: { destinations: [destination('i')] }, subaccount: { destinations: [destination('s')] } }
    const answer = await apply({ init_data })
    expect(answer.status).toBe(500)
    expect(answer.text).not.toContain('disk full')
    expect(await names('instanceDestinations')).toEqual([])
  })

  it.each([
    ['an unknown key', { html5: true }, /unknown key "html5"/],
    [
      'an unknown key inside',
      { init_data: { instance: { destination: [] } } },
      /init_data\.instance\.destination: unknown key "destination"; did you mean "destinations"/,
    ],
    ['an unknown policy', { init_data: { instance: { existing_destinations_policy: 'overwrite' } } }, /existing_destinations_policy/],
    ['scopes that are no list', { subscriber_access: { destination: { read_scopes: 'x' } } }, /read_scopes/],
    ['no object', [], /./],
    [
      'a destination that is not valid',
      { init_data: { subaccount: { destinations: [{ Name: 'x' }] } } },
      /^Failed to create all provided configurations\. .*the destination 'x' is not valid: Property "Type" is missing/,
    ],
    [
      'a certificate that is not valid',
      { init_data: { instance: { certificates: [{ Name: 'x.pem' }] } } },
      /^Failed to create all provided configurations\. .*the certificate 'x\.pem' is not valid/,
    ],
    [
      'a name that comes twice',
      { init_data: { instance: { destinations: [destination('x'), destination('x')] } } },
      /the destination 'x' is given twice/,
    ],
  ])('are refused with %s', async (_what, body, message) => {
    const answer = await apply(body)
    expect(answer.status).toBe(400)
    expect((answer.json as { readonly ErrorMessage: string }).ErrorMessage).toMatch(message)
    expect(await names('instanceDestinations')).toEqual([])
  })

  it('are those of one instance', async () => {
    expect((await apply({}, otherInstanceId)).status).toBe(404)
  })

  it('need who manages what they touch', async () => {
    const token = running.personToken({ roles: ['Destination Administrator Instance', 'Space Developer'] })
    const put = async (body: unknown) => (await running.administer('PUT', `/instances/${instanceId}/parameters`, { token, body })).status
    expect(await put({ init_data: { instance: { destinations: [destination('i')] } } })).toBe(200)
    expect(await put({ init_data: { subaccount: { destinations: [destination('s')] } } })).toBe(403)
  })
})
