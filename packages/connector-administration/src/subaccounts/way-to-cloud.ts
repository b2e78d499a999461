import type { OpenWay } from '@sallyport/cloud-connector'
import { createSecret } from '@sallyport/core'
import { createProxyDial } from '@sallyport/dial'
import type { ProxySettings } from '../document/administered-document.ts'

/** Dials the cloud side: through the proxy of the moment; where there is none, nobody has to dial but the caller. Backends are never reached this way. */
export function createWayToCloud(current: () => ProxySettings | undefined): OpenWay {
  return async (address, signal) => {
    const proxy = current()
    if (proxy === undefined) return undefined
    const { host, password = '', port, user } = proxy
    const dial = createProxyDial({
      kind: 'http',
      proxy: { host, port },
      ...(user === undefined || user === '' ? {} : { credentials: { user, password: createSecret(password) } }),
    })
    return await dial(address, { signal, locationId: '' })
  }
}
