import { createTestCa } from '@sallyport/test-fixtures'
import { createSecret } from '@sallyport/core'
import type { ClientConfiguration, UserConfiguration } from '@sallyport/token-service'

const server = createTestCa().issue({ subject: '/CN=localhost' })
export const cert: string = server.certificate
export const key: string = server.key
export const clients: readonly ClientConfiguration[] = [{ id: 'sb-app!t1', tenant: 'demo', secrets: [createSecret('x'.repeat(40))] }]
export const users: readonly UserConfiguration[] = []
