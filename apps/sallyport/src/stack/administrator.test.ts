import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createManualClock } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAdministrator } from './administrator.ts'
import { type DataFolder, openDataFolder } from './data-folder.ts'

let path: string
let folder: DataFolder
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sallyport-'))
  folder = openDataFolder(path)
})
afterEach(() => rmSync(path, { recursive: true }))

const clock = createManualClock()
const initialPassword = (): string => (folder.read('connector', 'initial-password') ?? '').trim()

describe('administrator of the connector', () => {
  it('logs on with the password that was made at the first start, also after a restart', async () => {
    await openAdministrator({ folder, clock })
    const { verify } = await openAdministrator({ folder, clock })
    expect(await verify('Administrator', initialPassword(), '::1')).toEqual({ role: 'Administrator' })
    expect(await verify('Administrator', `${initialPassword()}x`, '::1')).toBeUndefined()
    expect(await verify('administrator', initialPassword(), '::1')).toBeUndefined()
    expect(folder.read('connector', 'administrator.json')).not.toContain(initialPassword())
  })

  it('is locked for five minutes after five wrong passwords, for the address that they came from and nobody else', async () => {
    const { verify } = await openAdministrator({ folder, clock })
    const right = initialPassword()
    for (let i = 0; i < 4; i++) expect(await verify('Administrator', 'wrong', '10.0.0.1')).toBeUndefined()
    expect(await verify('Administrator', right, '10.0.0.1')).toBeDefined()
    for (let i = 0; i < 30; i++) expect(await verify('Administrator', 'wrong', '10.0.0.1')).toBeUndefined()
    expect(await verify('Administrator', right, '10.0.0.1')).toBeUndefined()
    expect(await verify('Administrator', right, '10.0.0.2')).toBeDefined()
    clock.advance(299_999)
    expect(await verify('Administrator', right, '10.0.0.1')).toBeUndefined()
    clock.advance(1)
    expect(await verify('Administrator', right, '10.0.0.1')).toBeDefined()
  })

  it('is not locked by attempts under other names', async () => {
    const { verify } = await openAdministrator({ folder, clock })
    for (let i = 0; i < 6; i++) await verify('admin', 'wrong', '::1')
    expect(await verify('Administrator', initialPassword(), '::1')).toBeDefined()
  })

  it('lets others work while a password is checked, and checks a bounded number', async () => {
    const { verify } = await openAdministrator({ folder, clock })
    let turns = 0
    setImmediate(() => turns++)
    const checking = verify('Administrator', 'wrong', '::1')
    await checking
    expect(turns).toBe(1)
    const crowd = await Promise.allSettled(Array.from({ length: 40 }, (_, at) => verify('Administrator', 'wrong', `10.0.0.${at}`)))
    const turnedAway = crowd.filter((one) => one.status === 'rejected')
    expect(turnedAway.length).toBeGreaterThan(0)
    expect(turnedAway[0]?.reason).toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
  })

  it('says what to do about a file that holds no administrator', async () => {
    folder.write(['connector', 'administrator.json'], '{"user":"Administrator"}')
    await expect(openAdministrator({ folder, clock })).rejects.toThrow(/administrator\.json holds no administrator; remove it/)
  })
})
