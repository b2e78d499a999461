import type { LinkStatus } from '@sallyport/cloud-connector'

/** States of a tunnel that the REST API knows. */
type TunnelState = 'Connected' | 'ConnectFailure' | 'Disconnected'

/** How a tunnel is, in the words of the original, and why it is not open although it is meant to be. */
export interface TunnelView {
  readonly state: TunnelState
  /** 0 while it is not open. */
  readonly connectedSinceMs: number
  readonly cause: string | undefined
}

/** The view of a link; `undefined` is a subaccount that has no certificate. */
export function viewTunnel(link: Pick<LinkStatus, 'tunnel' | 'wanted'> | undefined): TunnelView {
  if (link === undefined)
    return { state: 'ConnectFailure', connectedSinceMs: 0, cause: 'there is no usable certificate; renew it with user and password' }
  const { tunnel, wanted } = link
  if (tunnel.kind === 'ready') return { state: 'Connected', connectedSinceMs: tunnel.sinceMs, cause: undefined }
  if (!wanted || tunnel.kind === 'closed' || tunnel.kind === 'draining')
    return { state: 'Disconnected', connectedSinceMs: 0, cause: undefined }
  if (tunnel.kind === 'failed') return { state: 'ConnectFailure', connectedSinceMs: 0, cause: tunnel.message }
  const { lastError } = tunnel
  return { state: lastError === undefined ? 'Disconnected' : 'ConnectFailure', connectedSinceMs: 0, cause: lastError?.message }
}
