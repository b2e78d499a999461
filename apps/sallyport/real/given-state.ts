import type { RecordedCall } from './cassette.ts'

/** How a state is made: the calls, in order. */
export interface GivenCall {
  readonly method: string
  readonly path: string
  readonly body: object
  /** What it has to exist for: subaccounts of one recording are those of the next, mostly. */
  readonly subaccount?: true
  /** Number that the original had given. */
  readonly number?: number
}

const root = '/api/v1/configuration'
const subaccountPath = new RegExp(`^(${root}/subaccounts/([^/]+)/([^/]+))(/.*)?$`)

/**
 * What a recording takes for granted: subaccounts, mappings and so on that it reads or changes without having made them. Told from the answers, as far as they
 * tell it. Certificates are left to the caller.
 */
export function givenState(
  calls: readonly RecordedCall[],
  user: { readonly name: string; readonly password: string },
): readonly GivenCall[] {
  const given = new Map<string, GivenCall>()
  const made = new Set<string>()
  /** Once, and not what the recording makes. */
  const take = (name: string, method: string, path: string, body: object, more: Pick<GivenCall, 'number' | 'subaccount'> = {}): void => {
    if (!made.has(name) && !given.has(name)) given.set(name, { method, path, body, ...more })
  }
  const subaccount = (
    regionHost: string,
    id: string,
    told: { readonly description?: string; readonly displayName?: string } = {},
  ): void => {
    const { description, displayName } = told
    const body = { regionHost, subaccount: id, cloudUser: user.name, cloudPassword: user.password, description, displayName }
    take(`${root}/subaccounts/${regionHost}/${id}`, 'POST', `${root}/subaccounts`, body, { subaccount: true })
  }
  const entries = (answer: any): readonly any[] => (Array.isArray(answer) ? answer : [answer])

  for (const { answer, method, path, sent, status } of calls) {
    const [, base = '', region = '', id = '', rest = ''] = subaccountPath.exec(path) ?? []
    if (method === 'POST' && status === 201) {
      if (path === `${root}/subaccounts`) made.add(`${path}/${answer.regionHost}/${answer.subaccount}`)
      else if (base !== '') {
        subaccount(region, id)
        if (rest.endsWith('/resources')) take(base + rest.replace(/\/resources$/, ''), 'POST', `${base}/systemMappings`, mappingAt(rest))
        made.add(`${path}/${nameOf(sent)}`)
      }
    }
    if (method !== 'GET' || status !== 200) continue
    if (path === `${root}/subaccounts`) for (const each of answer) subaccount(each.regionHost, each.subaccount)
    if (path.endsWith('/connector/proxy') && answer?.host !== undefined && answer.host !== '')
      take(path, 'PUT', path, { ...answer, password: 'any' })
    if (base === '') continue
    subaccount(region, id, rest === '' ? answer : {})
    if (/^\/systemMappings(\/[^/]+)?$/.test(rest))
      for (const each of entries(answer)) {
        const mapping = `${base}/systemMappings/${nameOf(each)}`
        if (made.has(mapping)) continue
        take(mapping, 'POST', `${base}/systemMappings`, writable(each))
        for (let count = 0; count < each.totalResourcesCount; count++)
          take(`${mapping}#${count}`, 'POST', `${mapping}/resources`, { id: `/${count}`, enabled: count < each.enabledResourcesCount })
      }
    if (/\/resources(\/[^/]+)?$/.test(rest)) {
      const mapping = base + rest.replace(/\/resources.*$/, '')
      take(mapping, 'POST', `${base}/systemMappings`, mappingAt(rest))
      for (const each of entries(answer)) take(`${mapping}/resources/${each.id}`, 'POST', `${mapping}/resources`, writable(each))
    }
    if (rest === '/domainMappings') for (const each of answer) take(`${base}${rest}/${nameOf(each)}`, 'POST', base + rest, writable(each))
    if (rest.startsWith('/channels/'))
      for (const each of entries(answer))
        take(`${base}/channels/${each.type}/${nameOf(each)}`, 'POST', `${base}/channels/${each.type}`, writable(each), { number: each.id })
  }
  return [...given.values()]
}

/** By what an entry is told apart from its neighbours. */
function nameOf(entry: any): string {
  const { abapCloudTenantHost, id, internalDomain, k8sService, virtualHost, virtualPort } = entry
  return String(internalDomain ?? abapCloudTenantHost ?? k8sService ?? (virtualHost === undefined ? id : `${virtualHost}:${virtualPort}`))
}

function mappingAt(rest: string): object {
  const [virtualHost, virtualPort] = (rest.split('/')[2] ?? '').split(':')
  const names = { virtualHost, virtualPort, localHost: 'internal', localPort: '900' }
  return { ...names, protocol: 'HTTP', backendType: 'abapSys', authenticationMode: 'KERBEROS', hostInHeader: 'VIRTUAL' }
}

const onlyAnswered = new Set(['_links', 'creationDate', 'enabledResourcesCount', 'state', 'totalResourcesCount', 'type'])

/** Without what only answers have. An `id` is a resource's name, but a channel's number. */
function writable(entry: any): object {
  const isChannel = 'type' in entry
  return Object.fromEntries(Object.entries(entry).filter(([name]) => !onlyAnswered.has(name) && !(isChannel && name === 'id')))
}
