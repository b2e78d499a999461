import type { TLSSocket } from 'node:tls'
import type { LaneHello } from './tls-hello.ts'

/** A lane that has said its hello. */
export interface ArrivedLane {
  readonly socket: TLSSocket
  readonly hello: Omit<LaneHello, 'versions'>
  readonly version: number
  /** SHA-256 of the certificate the peer proved to own. */
  readonly fingerprint: string
}

/** `refused`: contradicts its siblings. `complete`: `lanes` are all there, in order. */
type Assembled =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'complete'; readonly lanes: readonly ArrivedLane[] }

/** Connections whose lanes are arriving. */
export interface LaneAssembly {
  add(lane: ArrivedLane): Assembled
}

/**
 * Gathers the lanes of connections that are being set up. Lanes belong together by their connection id, which nobody
 * else can guess, and must come from the same certificate with the same numbers. What does not get complete is
 * forgotten when the first of its sockets closes, and the others with it.
 */
export function createLaneAssembly(): LaneAssembly {
  const gathering = new Map<string, (ArrivedLane | undefined)[]>()
  return {
    add(lane) {
      const id = lane.hello.connectionId.toString('hex')
      const known = gathering.get(id)
      const first = known?.find((other) => other !== undefined)
      if (known !== undefined && first !== undefined) {
        const alike = first.fingerprint === lane.fingerprint && first.version === lane.version && first.hello.lanes === lane.hello.lanes
        if (!alike || known[lane.hello.lane] !== undefined) return { kind: 'refused' }
      }
      const lanes = known ?? Array.from<ArrivedLane | undefined>({ length: lane.hello.lanes })
      lanes[lane.hello.lane] = lane
      const complete = lanes.filter((one) => one !== undefined)
      if (complete.length === lane.hello.lanes) {
        gathering.delete(id)
        return { kind: 'complete', lanes: complete }
      }
      gathering.set(id, lanes)
      lane.socket.once('close', () => {
        if (gathering.get(id) !== lanes) return
        gathering.delete(id)
        for (const sibling of lanes) sibling?.socket.destroy()
      })
      return { kind: 'waiting' }
    },
  }
}
