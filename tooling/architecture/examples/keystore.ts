import { writeFileSync } from 'node:fs'
import { readFile as readRealFile } from 'node:fs/promises'
import { writePkcs12 } from '@sallyport/keystore'
import { createTestCa } from '@sallyport/test-fixtures'

const ca = createTestCa()
const identity = ca.issue({ subject: '/CN=client' })
writeFileSync(
  'client.p12',
  await writePkcs12({
    alias: 'client',
    certificates: [identity.certificate, ca.certificate],
    privateKey: identity.key,
    password: 'secret',
  }),
)

export const readFile: (file: string) => Promise<Buffer> = readRealFile
export const host = 'erp.example.org'
/** Stands for `tls.connect`. */
export const connect = (_options: {
  readonly host: string
  readonly cert?: string | undefined
  readonly key?: string | undefined
}): void => {}
