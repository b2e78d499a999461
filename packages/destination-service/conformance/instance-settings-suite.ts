import type { InstanceSettingsRepository } from '../src/index.ts'
import { expect } from 'vitest'

/** Two processes on one database. */
export interface InstanceSettingsSubject {
  readonly settings: InstanceSettingsRepository
  readonly other: InstanceSettingsRepository
}

/** What every keeper of instance settings does. */
export const instanceSettingsCases: Readonly<Record<string, (subject: InstanceSettingsSubject) => Promise<void>>> = {
  'has the defaults for an instance that nobody has set': async ({ settings }) => {
    expect(await settings.find('i')).toEqual({
      html5RuntimeEnabled: false,
      subscriberAccess: { destinations: { read: [], write: [] }, certificates: { read: [], write: [] } },
      appliedDigest: '',
    })
  },
  'keeps what is set, each instance for itself, for every process': async ({ settings, other }) => {
    await settings.change('i', (before) => ({ ...before, html5RuntimeEnabled: true, appliedDigest: 'ü"\'' }))
    await settings.change('i', (before) => ({
      ...before,
      subscriberAccess: { ...before.subscriberAccess, destinations: { read: ['r'], write: [] } },
    }))
    expect(await other.find('i')).toMatchObject({
      html5RuntimeEnabled: true,
      appliedDigest: 'ü"\'',
      subscriberAccess: { destinations: { read: ['r'] }, certificates: { read: [] } },
    })
    expect((await other.find('j')).html5RuntimeEnabled).toBe(false)
  },
  'loses no change of several at the same time': async ({ settings, other }) => {
    const letters = 'abcdefgh'.split('')
    await Promise.all(
      letters.map((letter, at) =>
        (at % 2 === 0 ? settings : other).change('i', (before) => ({ ...before, appliedDigest: before.appliedDigest + letter })),
      ),
    )
    expect((await settings.find('i')).appliedDigest.split('').toSorted()).toEqual(letters)
  },
  'changes nothing when the change fails': async ({ settings }) => {
    await settings.change('i', (before) => ({ ...before, appliedDigest: 'kept' }))
    const failing = settings.change('i', () => {
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect((await settings.find('i')).appliedDigest).toBe('kept')
  },
}
