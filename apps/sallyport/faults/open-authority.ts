import { once } from 'node:events'
import { systemClock } from '@sallyport/core'
import { openConnectorMaterial } from '../src/stack/connector-material.ts'
import { openDataFolder } from '../src/stack/data-folder.ts'
import { openAuthority } from '../src/stack/local-authority.ts'

// Started several times by a test: waits until all are there, then makes what an installation makes at its first start, and prints it.
process.stdout.write('ready\n')
await once(process.stdin, 'data')
const folder = openDataFolder(process.argv[2] ?? '')
const { certificate, key, identity } = openAuthority(folder, systemClock, { name: 'ca', commonName: 'Local CA' })
const server = identity('server', { subject: [{ type: 'CN', value: 'localhost' }] })
process.stdout.write(JSON.stringify([certificate, key, server, openConnectorMaterial(folder).connectorId]))
