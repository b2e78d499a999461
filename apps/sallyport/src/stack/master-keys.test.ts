import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSealer } from '@sallyport/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseConfiguration } from '../configuration/read-configuration.ts'
import { openDataFolder } from './data-folder.ts'
import { masterKeys, renewMasterKey } from './master-keys.ts'

let path: string
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sallyport-keys-'))
})
afterEach(() => rmSync(path, { recursive: true, force: true }))

function context(storage = ''): Parameters<typeof masterKeys>[0] {
  const result = parseConfiguration(`version: 1\n${storage}`, join(path, 'sallyport.yaml'))
  if (!('configuration' in result)) throw new Error(JSON.stringify(result.problems))
  return { configuration: result.configuration, folder: openDataFolder(join(path, 'data')) }
}
const writeKey = (name: string, byte: number): Buffer => {
  const key = Buffer.alloc(32, byte)
  writeFileSync(join(path, name), `${key.toString('base64')}\n`)
  return key
}

describe('the master key', () => {
  it('is the key of the data folder until it is renewed; then the new one seals and all open, without a restart', () => {
    const own = context()
    const sealer = createSealer(masterKeys(own))
    const before = sealer.seal('a', 'here')
    expect(masterKeys(own)().current).toEqual(own.folder.sealKey())
    expect(renewMasterKey(own)).toBe(true)
    // Files that are written within one tick of a coarse clock look unchanged.
    utimesSync(own.folder.file('cloud', 'sealing.keys'), 1, 1)
    expect(sealer.isCurrent(before)).toBe(false)
    const after = sealer.seal('b', 'here')
    expect([sealer.open(before, 'here'), sealer.open(after, 'here')]).toEqual(['a', 'b'])
    expect(createSealer({ current: own.folder.sealKey() }).open(before, 'here')).toBe('a')
    expect(() => createSealer({ current: own.folder.sealKey() }).open(after, 'here')).toThrow(/not at hand/)
    expect(own.folder.sealKey()).not.toEqual(masterKeys(own)().current)
  })

  it('of the configuration takes the place of the folder’s, whose texts still open', () => {
    const early = createSealer(masterKeys(context())).seal('a', 'here')
    const current = writeKey('new.key', 1)
    const previous = writeKey('old.key', 2)
    const own = context('storage: { sealingKey: { file: new.key }, previousSealingKeys: [{ file: old.key }] }\n')
    expect(masterKeys(own)()).toMatchObject({ current, previous: [previous, own.folder.sealKey()] })
    expect(createSealer(masterKeys(own)).open(early, 'here')).toBe('a')
    expect(renewMasterKey(own)).toBe(false)
  })

  it('has 32 bytes', () => {
    writeFileSync(join(path, 'short.key'), 'c2hvcnQ=')
    const own = context('storage: { sealingKey: { file: short.key } }\n')
    expect(() => masterKeys(own)()).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', message: expect.stringContaining('32 bytes') }),
    )
    expect(() => masterKeys(own)()).toThrow(expect.not.stringContaining('c2hvcnQ'))
  })
})

describe('the storage of a configuration', () => {
  const problemsOf = (storage: string): string => JSON.stringify(parseConfiguration(`version: 1\n${storage}`, join(path, 'sallyport.yaml')))

  it('takes secrets by reference only, and knows its keys', () => {
    expect(problemsOf('storage: { postgresql: { url: "postgresql://u@h/d", password: s3cret } }')).toContain('password')
    expect(problemsOf('storage: { sealingKey: AAAA }')).toContain('sealingKey')
    expect(problemsOf('storage: { postgresql: { url: "postgresql://u@h/d", tls: on } }')).toContain('tls')
    expect(problemsOf('storage: { postgresql: { uri: x } }')).toContain('url')
    expect(problemsOf('storage: { postgresql: { url: "postgresql://u@h/d", password: { file: missing } } }')).toContain('there is no file')
  })

  it('verifies TLS unless told otherwise', () => {
    expect(context('storage: { postgresql: { url: "postgresql://u@h/d" } }\n').configuration.storage.postgresql).toMatchObject({
      tls: 'verify',
      maxConnections: 10,
    })
  })
})
