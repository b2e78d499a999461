import { describeHttpProxy, describeSocks5 } from '@sallyport/conformance'
import { afterAll } from 'vitest'
import { openSuiteFarSide, startSuiteWorld, type SuiteWorld } from './suite-far-side.ts'

const worlds = new Map<string, Promise<SuiteWorld>>()
afterAll(async () => {
  for (const world of worlds.values()) await (await world)[Symbol.asyncDispose]()
})

/** Started for the first case, shared by the others. */
function sharedWorld(name: string, options: Parameters<typeof startSuiteWorld>[0] = {}): Promise<SuiteWorld> {
  const started = worlds.get(name) ?? startSuiteWorld(options)
  worlds.set(name, started)
  return started
}

const everything = { authorization: true, trusted: false, refusals: true, locations: true, users: true, strict: true, upgrades: true }

describeHttpProxy('shared, with authorization', {
  open: async () => openSuiteFarSide(await sharedWorld('strict'), 'http'),
  features: everything,
})

describeHttpProxy('dedicated and trusted', {
  open: async () =>
    openSuiteFarSide(await sharedWorld('trusted', { authorization: false, tenancy: { mode: 'dedicated', subaccount: 'demo' } }), 'http'),
  features: { ...everything, authorization: false, trusted: true },
})

describeSocks5('shared, with authorization', {
  open: async () => openSuiteFarSide(await sharedWorld('strict'), 'socks5'),
  features: { authorization: true, refusals: true, locations: true, dotted: true },
})
