import { createMaterialMemory } from '@sallyport/cloud-connector'
import { type Access, type createAdministrationRoutes, openAccess } from '@sallyport/connector-administration'
import { systemClock } from '@sallyport/core'

export { createMaterialMemory, systemClock }
export const log = (_text: string): void => {}
export const access: Access = await openAccess({
  material: createMaterialMemory(),
  hasher: { hash: async (password) => password, verify: async (password, stored) => password === stored },
  clock: systemClock,
  initialPassword: () => 'initial',
  forcePasswordChange: true,
  ownCertificate: { certificate: '', key: '' },
  audit: { write: () => {} },
})
export const audit = { write: (): void => {} }
export const backup = {} as Parameters<typeof createAdministrationRoutes>[0]['backup']
export const checkKerberos = async (): Promise<undefined> => undefined
export const hostAgent = {} as Parameters<typeof createAdministrationRoutes>[0]['hostAgent']
export const runtime = {} as Parameters<typeof createAdministrationRoutes>[0]['runtime']
export const lifecycle = {} as Parameters<typeof createAdministrationRoutes>[0]['lifecycle']
export const leafKey = {} as Parameters<typeof createAdministrationRoutes>[0]['leafKey']
export const traces = {} as Parameters<typeof createAdministrationRoutes>[0]['traces']
