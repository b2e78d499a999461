import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMaterialFolder, type MaterialStore, saveIdentity } from '@sallyport/cloud-connector'
import { createSecret } from '@sallyport/core'
import { createSealer } from '@sallyport/store'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdministrationBench, startAdministrationBench } from './administration-bench.ts'

const own = '/api/private/v1'
const cfg = '/api/v1/configuration/connector'
let folder: string
let material: MaterialStore
let bench: AdministrationBench
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-material-'))
  material = createMaterialFolder({ folder, sealer: createSealer({ current: randomBytes(32) }) })
  bench = await startAdministrationBench({ haRole: 'master', material })
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

describe('the store of secrets', () => {
  const authority = createTestCa()
  const { certificate, key } = authority.issue({ subject: '/CN=paired' })
  const shrink = async (): Promise<unknown> => (await bench.call('POST', `${own}/secureStore/shrink`)).json()

  it('CC-046 loses what belongs to nothing any more, and keeps every secret that is in use', async () => {
    await bench.expose({ regionHost: 'cf.demo.example', subaccount: 'demo' })
    await bench.call('PUT', `${cfg}/proxy`, { host: 'proxy.example', port: 1, user: 'u', password: 'current secret' })
    await bench.call('POST', `${cfg}/onPremises/ppCaCertificate`, { type: 'selfsigned', keySize: 2048, subjectDN: 'CN=CA' })
    for (const name of [
      'trust demo ',
      'usage demo ',
      'trust gone ',
      'usage gone ',
      'system gone plant7',
      'principal-ca gone ',
      'trust paired ',
    ])
      await material.save(name, '[]')
    // Paired on the command line meanwhile: it becomes a subaccount at the next start.
    const identity = { subaccount: 'paired', locationId: '', connectorId: 'c', description: '', tunnelEndpoint: 'tls://127.0.0.1:1' }
    await saveIdentity(material, { ...identity, certificate, key: createSecret(key), authorities: authority.certificate })
    const before = readdirSync(folder).length
    expect(await shrink()).toEqual({ removed: 4 })
    expect(readdirSync(folder)).toHaveLength(before - 4)
    expect((await material.names()).filter((name) => name.includes('gone'))).toEqual([])
    expect(bench.audited.at(-1)).toMatchObject({ user: 'sccadmin', message: expect.stringContaining('removed 4 secrets') })
    expect(await shrink()).toEqual({ removed: 0 })

    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({ material })
    expect(bench.editor.document.connector.proxy?.password).toBe('current secret')
    expect((await bench.call('GET', `${cfg}/onPremises/ppCaCertificate`)).status).toBe(200)
    expect(bench.editor.document.subaccounts.map(({ subaccount }) => subaccount)).toEqual(['demo', 'paired'])
    for (const name of ['trust demo ', 'usage demo ', 'trust paired ']) expect(await material.load(name)).toBe('[]')
  })

  it('CC-046 that cannot be shrunk to its end keeps every secret that is in use, and is shrunk the next time', async () => {
    await bench.expose({ regionHost: 'cf.demo.example', subaccount: 'demo' })
    const used = ['trust demo ', 'usage demo ', 'system demo ', 'principal-ca demo ']
    for (const name of used) await material.save(name, 'used')
    for (const name of ['trust a ', 'trust b ', 'trust c ']) await material.save(name, 'unused')
    const { remove } = material
    let calls = 0
    material.remove = (name) => (++calls === 2 ? Promise.reject(new Error('killed')) : remove(name))
    expect((await bench.call('POST', `${own}/secureStore/shrink`)).status).toBe(500)
    material.remove = remove
    for (const name of used) expect([name, await material.load(name)]).toEqual([name, 'used'])
    expect(await shrink()).toEqual({ removed: 2 })
    for (const name of used) expect([name, await material.load(name)]).toEqual([name, 'used'])
  })

  it('is shrunk by administrators alone', async () => {
    expect((await bench.call('POST', `${own}/secureStore/shrink`, undefined, { as: 'sccassocadmin' })).status).toBe(403)
  })
})

describe('memory', () => {
  const path = `${own}/runtime`

  it.each([['1024M'], ['1g'], ['2048m'], ['9999M']])('CC-043 the heap may be %s', async (maxHeap) => {
    expect((await bench.call('PUT', path, { maxHeap })).status).toBe(204)
    expect((await bench.call('GET', path)).json()).toEqual({ maxHeap, heapLimitBytes: 1 })
    expect(bench.audited.at(-1)).toMatchObject({ category: 'AdvancedJVM', message: expect.stringContaining(maxHeap) })
  })

  it.each([['1024 M'], ['12345M'], ['1024'], ['0M'], ['-1M'], ['1024MB'], ['1.5g'], ['1024T'], [''], [1024], ['64M'], ['9999k']])(
    'CC-043 the heap may not be %j',
    async (maxHeap) => {
      await bench.call('PUT', path, { initialHeap: '256M', maxHeap: '512M' })
      const answer = await bench.call('PUT', path, { maxHeap })
      expect([answer.status, answer.json().message]).toEqual([400, expect.stringMatching(/^maxHeap: has to be .*it was/)])
      expect((await bench.call('GET', path)).json()).toMatchObject({ initialHeap: '256M', maxHeap: '512M' })
    },
  )

  it('does not begin with more than it may become, has no setting that would be without effect, and is left to the runtime again', async () => {
    await bench.call('PUT', path, { maxHeap: '512M' })
    expect((await bench.call('PUT', path, { initialHeap: '1g' })).status).toBe(400)
    expect((await bench.call('PUT', path, { maxDirectMemory: '2g' })).status).toBe(400)
    expect((await bench.call('DELETE', path)).status).toBe(204)
    expect((await bench.call('GET', path)).json()).toEqual({ heapLimitBytes: 1 })
    expect((await bench.call('PUT', path, { maxHeap: '512M' }, { as: 'sccsupport' })).status).toBe(403)
  })
})

describe('the text on the log-on page', () => {
  const path = `${own}/loginInformation`
  const text =
    '<h2>Plant 7</h2><p style="text-align:center">Ask <a href="https://help.acme.test/sso?a=1&amp;b=2" target="_blank">Jane</a> &amp; Joe.<br>Mind<br/>the <b>gap</b> <a target="_blank" href="http://acme.test">x</a></p>'

  it('is shown to whoever has to log on again, and is kept', async () => {
    expect((await bench.call('PUT', path, { html: text })).status).toBe(204)
    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({ material })
    expect((await bench.send('GET', path)).json()).toEqual({ html: text })
    const page = await bench.send('GET', cfg, { headers: { cookie: 'JSESSIONID=ended' } })
    expect([page.status, page.headers['content-security-policy']]).toEqual([200, "default-src 'none'"])
    expect(page.body).toContain(text)
  })

  it.each([
    ['<script>alert(1)</script>', 'has the element script'],
    ['<img src="x" onerror="alert(1)">', 'has the element img'],
    ['<form action="https://evil.test"><p>x</p></form>', 'has the element form'],
    ['<p style="color:red">x</p>', 'has attributes of p'],
    ['<p onclick="x()">x</p>', 'has attributes of p'],
    ['<p style="text-align:center;color:red">x</p>', 'has attributes of p'],
    ['<b style="text-align:center">x</b>', 'has attributes of b'],
    ['<em>x</em>', 'has the element em'],
    ['<h4>x</h4>', 'has the element h4'],
    ['<b/>', 'is not well-formed'],
    ['<a href="javascript:alert(1)" target="_blank">x</a>', 'has a link to something else than http'],
    ['<a href="ftp://acme.test" target="_blank">x</a>', 'has a link to something else than http'],
    ['<a href="https://acme.test">x</a>', 'has attributes of a that are not allowed'],
    ['<a href="https://acme.test" target="_top">x</a>', 'has attributes of a that are not allowed'],
    ['<a>x</a>', 'has attributes of a that are not allowed'],
    ['<a href="https://acme.test" onclick="x()">x</a>', 'has attributes of a that are not allowed'],
    ["<a href='https://acme.test'>x</a>", 'has attributes of a that are not allowed'],
    ['<a href="https://acme.test/&quot;onclick=x" target="_blank">x</a>', 'has a link to something else than http'],
    ['<b>x', 'has no end of b'],
    ['x</b>', 'has an end of b where there is no beginning of it'],
    ['<b><i>x</b></i>', 'has an end of b where there is no beginning of it'],
    ['</b x>', 'has an end of b with attributes'],
    ['<!-- x -->', 'is not well-formed'],
    ['<<b>x</b>', 'is not well-formed'],
    ['a & b', 'is not well-formed'],
    ['&#60;script&#62;', 'is not well-formed'],
    ['a > b', 'is not well-formed'],
    ['<b\u0000>x</b>', 'has a control character'],
    ['<svg/onload=alert(1)>', 'is not well-formed'],
    ['x'.repeat(10_001), 'has to have at most 10000 characters'],
  ])('CC-047 is not %j', async (html, problem) => {
    const answer = await bench.call('PUT', path, { html })
    expect([answer.status, answer.json().message]).toEqual([400, expect.stringContaining(`html: ${problem}`)])
    expect((await bench.call('GET', path)).json()).toEqual({ html: '' })
  })

  it('is not written to the audit log, as memory is not, while that is off', async () => {
    await bench.call('PATCH', `${cfg}/auditLog`, { level: 'OFF' })
    const before = bench.audited.length
    expect((await bench.call('PUT', path, { html: '<b>x</b>' })).status).toBe(204)
    expect((await bench.call('PUT', `${own}/runtime`, { maxHeap: '512M' })).status).toBe(204)
    await material.save('trust gone ', '[]')
    expect((await bench.call('POST', `${own}/secureStore/shrink`)).json()).toEqual({ removed: 1 })
    expect(bench.audited).toHaveLength(before)
  })

  it('that has come by another way than this check is not shown', async () => {
    await bench.editor.change('restore', (document) => ({ ...document, loginInformation: '<script>alert(1)</script>' }))
    expect((await bench.send('GET', cfg, { headers: { cookie: 'JSESSIONID=ended' } })).body).not.toContain('script')
  })
})
