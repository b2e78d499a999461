import { ConnectivityError, systemClock } from '@sallyport/core'
import { describe, expect, it } from 'vitest'
import { adapterTrials, findMissingLibrary } from './adapter-trials.ts'

const deps = {
  clock: systemClock,
  proxy: { address: { host: '127.0.0.1', port: 1 }, tenant: '', token: () => Promise.reject(new Error('not asked')), forget: () => {} },
  location: '',
}

describe('whether the library of an adapter is there', () => {
  it.each(adapterTrials.map((trial) => [trial.name, trial] as const))('is found out without a connection: %s', async (_, trial) => {
    expect(await findMissingLibrary(trial, deps)).toBe(undefined)
  })

  it.each([
    [
      'cannot be imported',
      Object.assign(new Error("Cannot find package 'nodemailer' imported from /home/me/app.js"), { code: 'ERR_MODULE_NOT_FOUND' }),
    ],
    ['is missed by the adapter', new ConnectivityError('CONFIGURATION_INVALID', "Cannot find package 'nodemailer'\nand more")],
  ])('is answered with a reason when it %s', async (_, error) => {
    const [trial] = adapterTrials
    if (trial === undefined) throw new Error('there are no adapters')
    expect(await findMissingLibrary({ ...trial, create: () => Promise.reject(error) }, deps)).toBe("Cannot find package 'nodemailer'")
  })
})
