import { createHmac } from 'node:crypto'
import type { WebhookSettings } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { SendAlert } from './alert-delivery.ts'

/**
 * Posts alerts as JSON. `x-sallyport-signature: t=<milliseconds>,v1=<hex>` carries HMAC-SHA-256 of `<milliseconds>.<body>`, so that a receiver can tell ours, and
 * fresh ones. Any success counts; redirects are not followed.
 *
 * The function that is returned throws ConnectivityError `PEER_UNREACHABLE`.
 */
export function createWebhookSender({ secret, url }: Pick<WebhookSettings, 'url' | 'secret'>, now: () => number): SendAlert {
  const { host } = URL.parse(url) ?? { host: '' }
  return async (alert, signal) => {
    const body = JSON.stringify({ version: 1, ...alert })
    const atMs = now()
    const signature = createHmac('sha256', secret).update(`${atMs}.${body}`).digest('hex')
    let status: number
    try {
      const answer = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'content-type': 'application/json', 'x-sallyport-signature': `t=${atMs},v1=${signature}` },
        body,
        signal,
      })
      ;({ status } = answer)
      await answer.body?.cancel()
    } catch (cause) {
      throw new ConnectivityError('PEER_UNREACHABLE', `webhook ${host} does not answer; check its URL and certificate`, { cause })
    }
    if (status < 200 || status > 299) throw new ConnectivityError('PEER_UNREACHABLE', `webhook ${host} answers ${status}`)
  }
}
