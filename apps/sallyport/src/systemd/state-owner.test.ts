import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { serviceOf } from './state-owner.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
  mkdirSync(join(folder, 'private', 'plant-7', 'connector'), { recursive: true })
  symlinkSync(join('private', 'plant-7'), join(folder, 'plant-7'))
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

it.each([
  [0, 'plant-7', 'plant-7'],
  [0, 'private/plant-7', 'plant-7'],
  [0, 'private/plant-7/connector', undefined],
  [0, 'private', undefined],
  [0, '', undefined],
  [0, 'not there', undefined],
  [61_319, 'plant-7', undefined],
])('user %d takes "%s" for the folder of the service %s', (uid, path, service) => {
  vi.spyOn(process, 'getuid').mockReturnValue(uid)
  expect(serviceOf({ path: join(folder, path) }, join(folder, 'private'))).toBe(service)
})

it('knows no service where systemd keeps no such folders', () => {
  vi.spyOn(process, 'getuid').mockReturnValue(0)
  expect(serviceOf({ path: folder }, join(folder, 'nowhere'))).toBeUndefined()
})
