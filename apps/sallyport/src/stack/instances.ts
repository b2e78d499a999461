import { randomBytes, randomUUID } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'
import type { DataFolder } from './data-folder.ts'

/** A service instance with its one binding: the client that applications present to the token service. */
export interface ServiceInstance {
  readonly service: 'xsuaa' | 'destination' | 'connectivity'
  readonly name: string
  readonly instanceId: string
  readonly clientId: string
  readonly clientSecret: string
  readonly xsappname: string
}

export interface Instances {
  readonly xsuaa: ServiceInstance
  readonly destination: ServiceInstance
  readonly connectivity: ServiceInstance
}

const fileName = 'instances.json'

/** The instances of one installation. Ids and secrets are made on first use and stay the same from then on. */
export function openInstances(folder: DataFolder): Instances {
  const text = folder.read(fileName) ?? folder.writeOnce([fileName], `${JSON.stringify(newInstances(), null, 2)}\n`)
  try {
    return JSON.parse(text) as Instances
  } catch (cause) {
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      `${folder.file(fileName)} cannot be read; restore it, or remove it to have new clients made`,
      { cause },
    )
  }
}

function newInstances(): Instances {
  return { xsuaa: newInstance('xsuaa'), destination: newInstance('destination'), connectivity: newInstance('connectivity') }
}

function newInstance(service: ServiceInstance['service']): ServiceInstance {
  const instanceId = randomUUID()
  const secret = `${randomUUID()}$${randomBytes(32).toString('base64')}`
  if (service === 'xsuaa') {
    return {
      service,
      name: 'sallyport-xsuaa',
      instanceId,
      clientId: 'sb-sallyport-app!t1',
      clientSecret: secret,
      xsappname: 'sallyport-app!t1',
    }
  }
  const clone = `clone${instanceId.replaceAll('-', '')}!b1|${service === 'destination' ? 'destination-xsappname' : 'connectivity'}!b1`
  return { service, name: `sallyport-${service}`, instanceId, clientId: `sb-${clone}`, clientSecret: secret, xsappname: clone }
}
