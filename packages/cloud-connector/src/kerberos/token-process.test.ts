import { describe, expect, it } from 'vitest'
import { startTokenProcess } from './token-process.ts'

/** Makes a child process find no package `kerberos`. */
const withoutPackage = `import { registerHooks } from 'node:module'
registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'kerberos') return next(specifier, context)
    throw Object.assign(new Error("Cannot find package 'kerberos'"), { code: 'ERR_MODULE_NOT_FOUND' })
  },
})`

describe('the process that makes tokens', () => {
  it('says that the package is not installed, and what to do', async () => {
    const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(withoutPackage)}` }
    await expect(startTokenProcess(environment, AbortSignal.timeout(10_000))).rejects.toMatchObject({
      code: 'PRINCIPAL_NOT_ISSUED',
      message:
        'the package kerberos is not installed on the machine of the connector; install it beside @sallyport/cloud-connector: npm install kerberos',
    })
  })

  it('is not waited for longer than asked', async () => {
    const reason = new Error('too late')
    await expect(startTokenProcess({}, AbortSignal.abort(reason))).rejects.toBe(reason)
  })
})
