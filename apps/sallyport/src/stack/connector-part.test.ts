import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LogFields, silentLogger, systemClock } from '@sallyport/core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { requireConfiguration } from '../configuration/read-configuration.ts'
import { createEventLog } from '../trace/event-log.ts'
import { startConnectorPart } from './connector-part.ts'
import { openDataFolder } from './data-folder.ts'
import { portsWithOffset } from './ports.ts'

let path: string
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'sallyport-'))
})
afterEach(() => rmSync(path, { recursive: true }))

it('says that no connector is configured, and what to do', async () => {
  const file = join(path, 'connector.yaml')
  writeFileSync(file, 'version: 1\n')
  const warned: (LogFields & { readonly message: string })[] = []
  const log = { ...silentLogger, warn: (fields: LogFields, message: string) => void warned.push({ ...fields, message }), child: () => log }
  const configuration = requireConfiguration(file)
  const part = await startConnectorPart({
    folder: openDataFolder(join(path, 'data')),
    configuration: { ...configuration, connectorAdmin: { host: '127.0.0.1', port: 0 } },
    ports: portsWithOffset(0),
    clock: systemClock,
    log,
    events: createEventLog(1),
  })
  try {
    expect(warned).toEqual([
      {
        configuration: file,
        next: expect.stringContaining('sallyport connector init'),
        message: 'no connector is configured, so nothing is exposed',
      },
    ])
    expect(await part.status()).toMatchObject([{ part: 'connector', detail: 'no connector is configured' }])
  } finally {
    await part.close(0)
  }
})
