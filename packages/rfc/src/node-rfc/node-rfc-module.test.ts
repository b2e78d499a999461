import { describe, expect, it } from 'vitest'
import { createNodeRfcBinding } from './node-rfc-binding.ts'

const failing = (code: string) => async (): Promise<never> => {
  throw Object.assign(new Error('cannot load'), { code })
}

describe('loading node-rfc', () => {
  it.each(['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED'])('PR-072 is unavailable after %s', async (code) => {
    expect(await createNodeRfcBinding({ importModule: failing(code) }).probe()).toEqual({
      available: false,
      reason: expect.stringMatching(new RegExp(`${code}.*install`)),
    })
  })

  it('PR-072 passes on every other error', async () => {
    await expect(createNodeRfcBinding({ importModule: failing('ERR_INVALID_ARG_TYPE') }).probe()).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    })
  })

  it('PR-072 is unavailable in a Node that does not find it', async () => {
    const reason = expect.stringContaining('(MODULE_NOT_FOUND)')
    expect(await createNodeRfcBinding().probe()).toEqual({ available: false, reason })
  })

  it('is available as a module of either form, and not as something else', async () => {
    const Client = (): void => {}
    expect(await createNodeRfcBinding({ importModule: async () => ({ Client }) }).probe()).toEqual({ available: true })
    expect(await createNodeRfcBinding({ importModule: async () => ({ default: { Client } }) }).probe()).toEqual({ available: true })
    expect(await createNodeRfcBinding({ importModule: async () => ({}) }).probe()).toMatchObject({ available: false })
  })
})
