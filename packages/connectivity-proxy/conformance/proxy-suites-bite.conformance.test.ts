import { type HttpProxyCaseName, httpProxyCases, runProxyCase, type Socks5CaseName, socks5Cases } from '@sallyport/conformance/cases'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { brokenHttpProxies, brokenSocks5Proxies } from './broken-proxies.ts'
import { openSuiteFarSide, startSuiteWorld, type SuiteWorld } from './suite-far-side.ts'

// The tables held against proxies that are broken on purpose, one fault for each case: a case that passes here says nothing anywhere.

let world: SuiteWorld
let trusted: SuiteWorld
beforeAll(async () => {
  world = await startSuiteWorld()
  trusted = await startSuiteWorld({ authorization: false, tenancy: { mode: 'dedicated', subaccount: 'demo' } })
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await trusted[Symbol.asyncDispose]()
})

/** Broken ones mostly show by waiting; what is in order takes a tenth of it. */
const limitMs = 300

describe('the suite notices an HTTP listener that', () => {
  it.each(Object.keys(brokenHttpProxies) as HttpProxyCaseName[])('breaks the case "%s"', async (name) => {
    const test = httpProxyCases[name]
    const open = () => openSuiteFarSide(test.requires === 'trusted' ? trusted : world, 'http', brokenHttpProxies[name]())
    await expect(runProxyCase(test, { open, limitMs })).rejects.toThrow(/./)
  })
})

describe('the suite notices a SOCKS5 listener that', () => {
  it.each(Object.keys(brokenSocks5Proxies) as Socks5CaseName[])('breaks the case "%s"', async (name) => {
    const open = () => openSuiteFarSide(world, 'socks5', brokenSocks5Proxies[name]())
    await expect(runProxyCase(socks5Cases[name], { open, limitMs })).rejects.toThrow(/./)
  })
})

describe('a hop that tampers with nothing', () => {
  it.each(Object.keys(httpProxyCases) as HttpProxyCaseName[])('changes nothing for the case "%s"', async (name) => {
    const test = httpProxyCases[name]
    const open = () => openSuiteFarSide(test.requires === 'trusted' ? trusted : world, 'http', { front: {}, back: {} })
    await runProxyCase(test, { open })
    expect(test.run).toBeTypeOf('function')
  })
  it.each(Object.keys(socks5Cases) as Socks5CaseName[])('changes nothing for the case "%s" of SOCKS5', async (name) => {
    await expect(runProxyCase(socks5Cases[name], { open: () => openSuiteFarSide(world, 'socks5', { front: {}, back: {} }) })).resolves.toBe(
      undefined,
    )
  })
})
