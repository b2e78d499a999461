import { ConnectivityError } from '@sallyport/core'
import { z } from 'zod'
import { snapshotStallMs, snapshotTimeoutMs } from '../limits.ts'
import { conflict, invalidRequest, RestError } from '../rest/rest-error.ts'
import type { HaSettingsStore, Peer } from './ha-settings.ts'
import type { Snapshot } from './installation.ts'
import { type PeerLogOn, type PeerStatus, peerStatusSchema, type ShadowRequest } from './pair-contract.ts'
import type { CallPeer, PeerAnswer } from './peer-call.ts'

/** What the other instance of a pair can be asked. All of it throws ConnectivityError when that is not there, is another one, or answers nonsense. */
export interface PeerLink {
  ping(own: PeerStatus): Promise<PeerStatus>
  /** The configuration of the master. */
  snapshot(): Promise<Snapshot>
  /** Tells a shadow to fetch the configuration, and settles when it has. */
  tellChange(): Promise<void>
  /** Tells a shadow that this master restores a backup and starts again. */
  tellRestore(): Promise<void>
  /** Asks a shadow to become the master, as `user` wants it. @throws RestError 409 when it cannot. */
  askToTakeOver(user: string): Promise<void>
  /** Meets a master for the first time. @throws RestError 400, 409, 500. */
  introduce(request: ShadowRequest, logOn: PeerLogOn): Promise<Peer>
}

const base = '/api/private/v1/highAvailability'

const snapshotSchema: z.ZodType<Snapshot> = z.object({
  revision: z.int(),
  document: z.unknown(),
  material: z.record(z.string().max(500), z.string()),
})

/** The way to the other instance that the settings name. */
export function createPeerLink({ callPeer, store }: { readonly callPeer: CallPeer; readonly store: HaSettingsStore }): PeerLink {
  const timeouts = (requestTimeoutMs: number): { readonly connectTimeoutMs: number; readonly requestTimeoutMs: number } => ({
    connectTimeoutMs: store.current.shadow.connectTimeoutInMillis,
    requestTimeoutMs,
  })
  const ask = async (
    path: string,
    call: { readonly method: 'GET' | 'POST'; readonly body?: unknown; readonly timeoutMs: number; readonly stallTimeoutMs?: number },
  ): Promise<PeerAnswer> => {
    const { peer } = store.current
    if (peer === undefined) throw conflict('there is no other instance; connect a shadow first')
    const { body, method, stallTimeoutMs, timeoutMs } = call
    const { certificate, host, port, secret } = peer
    const sent = body === undefined ? {} : { body }
    return await callPeer({
      host,
      port,
      certificate,
      authorization: `Bearer ${secret}`,
      method,
      path: `${base}/${path}`,
      ...sent,
      ...timeouts(timeoutMs),
      stallTimeoutMs,
    })
  }
  return {
    async ping(own) {
      const answer = await ask('ping', { method: 'POST', body: own, timeoutMs: store.current.shadow.requestTimeoutInMillis })
      const read = peerStatusSchema.safeParse(answer.body)
      if (answer.status === 200 && read.success) return read.data
      throw new ConnectivityError('SERVICE_UNAVAILABLE', `the other instance answered a check with status ${answer.status}`)
    },
    async snapshot() {
      const answer = await ask('snapshot', { method: 'GET', timeoutMs: snapshotTimeoutMs, stallTimeoutMs: snapshotStallMs })
      const read = snapshotSchema.safeParse(answer.body)
      if (answer.status === 200 && read.success) return read.data
      throw new ConnectivityError('SERVICE_UNAVAILABLE', `the master sent no configuration (status ${answer.status})`)
    },
    async tellChange() {
      const answer = await ask('configurationChanged', { method: 'POST', timeoutMs: snapshotTimeoutMs })
      if (answer.status !== 204) throw new ConnectivityError('SERVICE_UNAVAILABLE', `the shadow answered with status ${answer.status}`)
    },
    async tellRestore() {
      const answer = await ask('restoring', { method: 'POST', timeoutMs: store.current.shadow.requestTimeoutInMillis })
      if (answer.status !== 204) throw new ConnectivityError('SERVICE_UNAVAILABLE', `the shadow answered with status ${answer.status}`)
    },
    async askToTakeOver(user) {
      const answer = await ask(`takeOver?user=${encodeURIComponent(user)}`, { method: 'POST', timeoutMs: snapshotTimeoutMs })
      if (answer.status !== 204) throw conflict(messageOf(answer))
    },
    async introduce(request, { fingerprint, password, user }) {
      const { peer, shadow } = store.current
      const known = peer?.host === shadow.masterHost && peer.port === shadow.masterPort ? peer : undefined
      const answer = await callPeer({
        host: shadow.masterHost,
        port: shadow.masterPort,
        // Whoever has met the master before does not give the password to another one.
        certificate: known?.certificate,
        fingerprint,
        authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
        method: 'POST',
        path: `${base}/shadows`,
        body: request,
        ...timeouts(snapshotTimeoutMs),
      })
      const read = z.object({ secret: z.string().min(1) }).safeParse(answer.body)
      if (answer.status !== 200 || !read.success) throw refusalOf(answer)
      const { checkIntervalInSeconds } = request
      return {
        host: shadow.masterHost,
        port: shadow.masterPort,
        certificate: answer.certificate,
        checkIntervalInSeconds,
        secret: read.data.secret,
      }
    },
  }
}

function refusalOf(answer: PeerAnswer): RestError {
  if (answer.status === 409) return conflict(messageOf(answer))
  const refused = answer.status === 400 || answer.status === 401 || answer.status === 403
  return refused ? invalidRequest(messageOf(answer)) : new RestError(500, 'RUNTIME_FAILURE', messageOf(answer))
}

function messageOf({ body, status }: PeerAnswer): string {
  const read = z.object({ message: z.string().max(2_000) }).safeParse(body)
  return read.success ? read.data.message : `the other instance answered with status ${status}`
}
