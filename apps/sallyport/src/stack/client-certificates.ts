import type { BindingCertificate } from './bindings.ts'
import type { Instances, ServiceInstance } from './instances.ts'
import { openAuthority } from './local-authority.ts'
import type { PartContext } from './part.ts'

/** The certificate that the client of an instance logs on with. */
export type ClientCertificates = (instance: ServiceInstance) => BindingCertificate

/**
 * A certificate for the client of each instance, from the authority of this installation. RSA, because some clients read nothing else. They are renewed at a
 * start, a month before they expire; the bindings are written anew with them.
 */
export function openClientCertificates({ folder, clock }: Pick<PartContext, 'folder' | 'clock'>, instances: Instances): ClientCertificates {
  const authority = openAuthority(folder, clock, { name: 'ca', commonName: 'Sallyport Local CA' })
  const made = new Map(
    Object.values(instances).map((instance: ServiceInstance) => {
      const subject = [{ type: 'CN', value: instance.instanceId }] as const
      return [instance.clientId, authority.identity(`clients-${instance.service}`, { subject, names: [], keyType: 'rsa' })]
    }),
  )
  return (instance) => made.get(instance.clientId) as BindingCertificate
}
