import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@sallyport/core'
import { expect, it } from 'vitest'
import { requireConfiguration } from '../configuration/read-configuration.ts'
import { createFiledConfiguration } from './connector-configuration.ts'

it('a file is parsed once at the start, and again when it has changed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-configuration-'))
  try {
    const file = join(folder, 'connector.yaml')
    writeFileSync(file, 'connectors: [{ locationId: one }]\n')
    const configuration = requireConfiguration(file)
    const { source } = createFiledConfiguration({ clock: systemClock, configuration })
    expect(await source.read()).toBe(configuration)
    writeFileSync(file, 'connectors: [{ locationId: two }]\n')
    expect(await source.read()).toBe('connectors: [{ locationId: two }]\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
