import type { Authenticate } from '@sallyport/connector-administration'

export { createMaterialMemory } from '@sallyport/cloud-connector'
export { systemClock } from '@sallyport/core'
export const log = (_text: string): void => {}
export const authenticate: Authenticate = async () => ({ user: 'jane', role: 'sccadmin', initialPassword: false })
